"""Questions about the past of a population: who lived where, with whom, under which name, related how to the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthetic_city.calendar_days import OPEN, day
from synthetic_city.population import FEMALE, HOUSEHOLD_CHANGED, UNREGISTERED, Population

SHIFT = 1 << 20
OFFSET = 1 << 19
"""Keys are ``number * SHIFT + day + OFFSET``: sortable by number, then day."""

RELATION_CODES = {
    "self": "02",
    "husband": "11",
    "wife": "12",
    "husband_unregistered": "13",
    "wife_unregistered": "14",
    "child": "20",
    "father": "51",
    "mother": "52",
    "older_brother": "71",
    "younger_brother": "74",
    "older_sister": "81",
    "younger_sister": "84",
    "other": "99",
}


def _keys(numbers: np.ndarray, days: np.ndarray) -> np.ndarray:
    return numbers.astype(np.int64) * SHIFT + np.clip(days, -OFFSET + 1, OFFSET - 1) + OFFSET


class Timeline:
    """Values that hold from a day on, per number (household or person): look one up for any number and day."""

    def __init__(self, numbers: np.ndarray, days: np.ndarray, *values: np.ndarray) -> None:
        keys = _keys(numbers, days)
        order = np.argsort(keys, kind="stable")
        self.keys = keys[order]
        self.numbers = numbers[order].astype(np.int64)
        self.values = [value[order] for value in values]

    def at(self, numbers: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Position of the entry in force for each number and day, -1 where there is none yet."""
        if not len(self.keys):
            return np.full(len(numbers), -1)
        position = np.searchsorted(self.keys, _keys(numbers, days), side="right") - 1
        return np.where((position >= 0) & (self.numbers[position] == numbers) & (numbers >= 0), position, -1)


@dataclass
class Segments:
    """One row per person, household and unchanged relation: the household history."""

    person: np.ndarray
    household: np.ndarray
    start: np.ndarray
    end: np.ndarray
    relation: np.ndarray
    """Index into ``History.relation_texts``."""
    why: np.ndarray
    second: np.ndarray


class History:
    """Lookups over the finished simulation."""

    def __init__(self, population: Population) -> None:
        self.population = population
        self.people = population.people
        self.as_of = population.as_of
        stays, unions = population.stays, population.unions
        self.stays = Timeline(stays.person, stays.start, stays.household, stays.end)
        self.heads = Timeline(population.heads.household, population.heads.day, population.heads.head)
        self.unions = Timeline(
            np.concatenate([unions.husband, unions.wife]),
            np.concatenate([unions.start, unions.start]),
            np.concatenate([unions.wife, unions.husband]),
            np.concatenate([unions.end, unions.end]),
            np.concatenate([unions.kind, unions.kind]),
            np.concatenate([np.arange(len(unions)), np.arange(len(unions))]),
        )
        renamings = population.renamings
        self.renamings = Timeline(renamings.person, renamings.day, renamings.old, renamings.new)
        first = np.full(len(self.people), -1, dtype=np.int64)
        order = np.lexsort((-renamings.day, renamings.person))
        first[renamings.person[order]] = renamings.old[order]
        self.first_surname = np.where(first >= 0, first, self.people.surname)
        addresses = population.addresses
        self.moves = Timeline(
            addresses.household, -addresses.day, addresses.town, addresses.number, addresses.branch, addresses.day
        )
        self.relation_texts: list[tuple[str, ...]] = [()]

    def household_at(self, persons: np.ndarray, days: np.ndarray) -> np.ndarray:
        """The household in which each person is resident on a day, or -1."""
        position = self.stays.at(persons, days)
        household, end = self.stays.values
        is_member = (position >= 0) & (end[position] > days)
        return np.where(is_member, household[position], -1).astype(np.int64)

    def head_at(self, households: np.ndarray, days: np.ndarray) -> np.ndarray:
        """The head of each household on a day, or -1."""
        position = self.heads.at(households, days)
        return np.where(position >= 0, self.heads.values[0][position], -1).astype(np.int64)

    def partner_at(self, persons: np.ndarray, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Partner of each person on a day or -1, and the number of the union."""
        position = self.unions.at(persons, days)
        partner, end, _, union = self.unions.values
        together = (position >= 0) & (end[position] > days)
        return (
            np.where(together, partner[position], -1).astype(np.int64),
            np.where(together, union[position], -1).astype(np.int64),
        )

    def surname_at(self, persons: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Index of the surname each person had on a day."""
        position = self.renamings.at(persons, days)
        if not len(self.renamings.keys):
            return self.people.surname[persons]
        return np.where(position >= 0, self.renamings.values[1][position], self.first_surname[persons])

    def address_at(self, households: np.ndarray, days: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Town, number and branch of each household's address on a day."""
        table = self.population.households
        # Entries hold the address *before* a move: the first move after the day says what it was then.
        position = self.moves.at(households, -(days + 1)) if len(self.moves.keys) else np.full(len(households), -1)
        has_address = position >= 0
        return tuple(
            np.where(has_address, values[position] if len(values) else 0, current[households])
            for values, current in zip(self.moves.values[:3], (table.town, table.number, table.branch), strict=True)
        )

    # --- relations to the head --------------------

    def segments(self) -> Segments:
        """Stays cut where a household changes, each with its relation to the head; equal neighbours are joined."""
        population = self.population
        stays, versions = population.stays, population.versions
        count = len(stays)
        keys = np.unique(_keys(versions.household, versions.day))
        low = np.searchsorted(keys, _keys(stays.household, stays.start), side="right")
        high = np.searchsorted(keys, _keys(stays.household, np.minimum(stays.end, self.as_of + 1)), side="left")
        cuts = np.maximum(high - low, 0)
        stay = np.repeat(np.arange(count), cuts + 1)
        first = np.cumsum(np.append(0, cuts[:-1] + 1))
        step = np.arange(len(stay)) - first[stay]
        cut_day = keys[np.minimum(low[stay] + step - 1, len(keys) - 1)] % SHIFT - OFFSET
        start = np.where(step == 0, stays.start[stay], cut_day)
        end = np.append(start[1:], 0)
        last = step == cuts[stay]
        end[last] = stays.end[stay[last]]
        person, household = stays.person[stay].astype(np.int64), stays.household[stay].astype(np.int64)
        relation = self.relations(person, household, start)
        order = np.lexsort((start, person))
        person, household, start, end, relation, stay, step = (
            values[order] for values in (person, household, start, end, relation, stay, step)
        )
        keep = end > start
        person, household, start, end, relation, stay, step = (
            values[keep] for values in (person, household, start, end, relation, stay, step)
        )
        joined = np.append(False, (stay[1:] == stay[:-1]) & (relation[1:] == relation[:-1]))
        opens = np.flatnonzero(~joined)
        closes = np.append(opens[1:], len(person)) - 1
        why = np.where(
            np.append(True, stay[opens][1:] != stay[opens][:-1]), stays.why_in[stay[opens]], HOUSEHOLD_CHANGED
        )
        segments = Segments(
            person[opens], household[opens], start[opens], end[closes], relation[opens], why, stays.second[stay[opens]]
        )
        limit = day(population.parameters.history_from_year)
        segments.start = np.maximum(segments.start, limit)
        kept = segments.end > segments.start
        return Segments(*(getattr(segments, name)[kept] for name in Segments.__dataclass_fields__))

    def relations(self, person: np.ndarray, household: np.ndarray, on: np.ndarray) -> np.ndarray:
        """Relation of each person to the head of the household on a day, as an index into ``relation_texts``."""
        people = self.people
        head = self.head_at(household, on)
        head = np.where(head >= 0, head, person)
        partner, _ = self.partner_at(head, on)
        partner = np.where((partner >= 0) & (self.household_at(partner, on) == household), partner, -1)
        own_partner, _ = self.partner_at(person, on)
        own_partner = np.where(self.household_at(own_partner, on) == household, own_partner, -1)
        position = self.unions.at(head, on)
        kind = self.unions.values[2][position] if len(self.unions.keys) else np.zeros(len(head))
        unregistered = kind == UNREGISTERED
        woman = people.sex[person] == FEMALE
        partner_code = np.where(people.sex[partner] == FEMALE, 12, 11) + np.where(unregistered, 2, 0)
        own_code = np.where(woman, 12, 11)
        head_parents = self.parents_at(head, on)
        partner_parents = self.parents_at(partner, on)
        person_parents = self.parents_at(person, on)

        def one_of(who: np.ndarray, parents: list[np.ndarray]) -> np.ndarray:
            matches = np.zeros(len(who), dtype=bool)
            for parent in parents:
                matches |= (parent >= 0) & (parent == who)
            return matches

        def has_parent_among(parents: list[np.ndarray], of: np.ndarray) -> np.ndarray:
            """Whether one of these people is a child of ``of``."""
            matches = np.zeros(len(of), dtype=bool)
            for parent in parents:
                matches |= (parent >= 0) & one_of(of, self.parents_at(parent, on))
            return matches & (of >= 0)

        sibling = np.zeros(len(person), dtype=bool)
        for mine, theirs in zip(person_parents[:2], head_parents[:2], strict=True):
            sibling |= (mine >= 0) & (mine == theirs)
        parent_is_sibling_of_head = np.zeros(len(person), dtype=bool)
        for parent in person_parents[:2]:
            theirs = self.parents_at(parent, on)
            for mine, heads in zip(theirs[:2], head_parents[:2], strict=True):
                parent_is_sibling_of_head |= (parent >= 0) & (mine >= 0) & (mine == heads) & (parent != head)
        older = people.birth[person] < people.birth[head]
        sibling_code = np.where(woman, np.where(older, 81, 84), np.where(older, 71, 74))
        parent_code = np.where(woman, 52, 51)
        grandparent = has_parent_among([head], person) & False
        via = np.zeros(len(person), dtype=np.int64)
        for parent, code in ((head_parents[1], 51), (head_parents[0], 52)):
            is_grandparent = (parent >= 0) & one_of(person, self.parents_at(parent, on))
            via = np.where(is_grandparent & ~grandparent, code, via)
            grandparent |= is_grandparent
        grandchild = has_parent_among(person_parents, head)
        great_grandchild = np.zeros(len(person), dtype=bool)
        for parent in person_parents[:2]:
            great_grandchild |= (parent >= 0) & has_parent_among(self.parents_at(parent, on), head)
        partner_grandchild = has_parent_among(person_parents, partner)
        child_in_law = (own_partner >= 0) & one_of(head, self.parents_at(own_partner, on))
        grandchild_in_law = (own_partner >= 0) & has_parent_among(self.parents_at(own_partner, on), head)
        stepgrandchild = np.zeros(len(person), dtype=bool)
        step_via = np.zeros(len(person), dtype=np.int64)
        for parent in person_parents[:2]:
            spouse, _ = self.partner_at(parent, on)
            matches = (parent >= 0) & (spouse >= 0) & one_of(head, self.parents_at(spouse, on))
            step_via = np.where(matches, np.where(people.sex[parent] == FEMALE, 12, 11), step_via)
            stepgrandchild |= matches
        sibling_spouse = np.zeros(len(person), dtype=bool)
        for mine, heads in zip(self.parents_at(own_partner, on)[:2], head_parents[:2], strict=True):
            sibling_spouse |= (own_partner >= 0) & (mine >= 0) & (mine == heads) & (own_partner != head)
        partner_parent = one_of(person, partner_parents)

        rules: list[tuple[np.ndarray, list[np.ndarray | int]]] = [
            (person == head, [2]),
            ((partner >= 0) & (person == partner), [partner_code]),
            (one_of(head, person_parents), [20]),
            ((partner >= 0) & one_of(partner, person_parents), [partner_code, 20]),
            (one_of(person, head_parents), [parent_code]),
            ((partner >= 0) & partner_parent, [partner_code, parent_code]),
            (grandchild, [20, 20]),
            (child_in_law, [20, own_code]),
            (partner_grandchild, [partner_code, 20, 20]),
            (stepgrandchild, [20, step_via, 20]),
            (sibling, [sibling_code]),
            (grandparent, [via, parent_code]),
            (great_grandchild, [20, 20, 20]),
            (grandchild_in_law, [20, 20, own_code]),
            (parent_is_sibling_of_head, [np.where(older, 71, 74), 20]),
            (sibling_spouse, [np.where(people.sex[own_partner] == FEMALE, 84, 74), own_code]),
        ]
        code = np.zeros(len(person), dtype=np.int64)
        undecided = np.ones(len(person), dtype=bool)
        for applies, parts in rules:
            value = np.zeros(len(person), dtype=np.int64)
            for part in parts:
                value = value * 100 + part
            chosen = undecided & applies
            code[chosen] = value[chosen]
            undecided &= ~applies
        code[undecided] = 99
        known, inverse = np.unique(code, return_inverse=True)
        base = {texts: index for index, texts in enumerate(self.relation_texts)}
        numbers = []
        for value in known:
            digits = f"{value:08d}".lstrip("0")
            digits = digits if len(digits) % 2 == 0 else "0" + digits
            texts = tuple(digits[i : i + 2] for i in range(0, len(digits), 2))
            if texts not in base:
                base[texts] = len(self.relation_texts)
                self.relation_texts.append(texts)
            numbers.append(base[texts])
        return np.array(numbers)[inverse]

    def parents_at(self, person: np.ndarray, on: np.ndarray) -> list[np.ndarray]:
        """Mother, father and adoptive parent of each person on a day; -1 where there is none in law."""
        people = self.people
        known = person >= 0
        mother = np.where(known, people.mother[person], -1)
        father = np.where(known & (people.father_known[person] != 3), people.father[person], -1)
        # Those of the first years carry no note of how the father is known.
        adopted = known & (people.adopted_from[person] <= on) & (people.adopted_to[person] > on)
        return [mother, father, np.where(adopted, people.adopter[person], -1)]


def is_open(days: np.ndarray) -> np.ndarray:
    """Whether an end lies open."""
    return days >= OPEN
