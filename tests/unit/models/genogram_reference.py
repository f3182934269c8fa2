"""Genogram and chains by their definition, in plain Python over the facts of a few families.

Written from the definition alone, without a thought for speed: every path is tried.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

GENERATIONS = 3
EDGES = 4
LARGEST_FAMILY = 10
RECENT_MONTHS = 120
ADULT_MONTHS = 216
FOREVER = dt.date(9999, 12, 31)
NO_ABUSE = {None, "なし"}


@dataclass(frozen=True)
class Person:
    """An entry of the register. ``left_on``: moved out or died; ``measure``: the period of a support measure."""

    number: str
    born_on: dt.date
    sex: str
    resident_since: dt.date
    left_on: dt.date | None = None
    household: str = ""
    measure: tuple[dt.date | None, dt.date | None] | None = None


@dataclass(frozen=True)
class Stay:
    """A period in a household; the last day is the one before ``until``."""

    person: str
    household: str
    since: dt.date
    until: dt.date | None
    relation: str = "99"


@dataclass(frozen=True)
class Notice:
    """出生, 認知, 養子縁組, 特別養子縁組 or 離縁."""

    kind: str
    child: str
    father: str | None
    mother: str | None
    day: dt.date


@dataclass(frozen=True)
class Marriage:
    """婚姻 or 離婚."""

    kind: str
    husband: str
    wife: str
    day: dt.date


@dataclass(frozen=True)
class Pregnancy:
    """A notification; ``newborn`` is the child's number, once there is one."""

    number: str
    mother: str
    notified_on: dt.date
    due_on: dt.date
    newborn: str | None = None


@dataclass(frozen=True)
class Case:
    """An entry of one of the three sources. ``abuse`` matters for consultations only."""

    source: str
    key: str
    person: str
    day: dt.date
    abuse: str | None = None


@dataclass(frozen=True)
class Edge:
    """An edge of the genogram; parents and husbands come first, of housemates the smaller number."""

    kind: str
    one: str
    other: str
    since: dt.date
    until: dt.date | None


@dataclass(frozen=True)
class Chain:
    """A chain of a child, with its path."""

    child: str
    kind: str
    end: str
    steps: int
    path: str
    case: tuple[str, dt.date]


@dataclass
class Families:
    """The facts, and what follows from them on a date."""

    as_of: dt.date
    people: dict[str, Person] = field(default_factory=dict)
    stays: list[Stay] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    marriages: list[Marriage] = field(default_factory=list)
    pregnancies: list[Pregnancy] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)

    # who is who

    def is_born(self, pregnancy: Pregnancy) -> bool:
        """Whether the child is in the register, and born by the date."""
        child = self.people.get(pregnancy.newborn or "")
        return child is not None and child.born_on <= self.as_of

    def unborn(self) -> dict[str, Pregnancy]:
        """Subjects before birth: a pregnancy whose notification is on file."""
        return {
            f"preg-{pregnancy.number}": pregnancy
            for pregnancy in self.pregnancies
            if pregnancy.notified_on <= self.as_of and not self.is_born(pregnancy)
        }

    def is_resident(self, person: Person) -> bool:
        """Whether the person lives in the city on the date."""
        arrived = max(person.born_on, person.resident_since) <= self.as_of
        return arrived and (person.left_on is None or person.left_on > self.as_of)

    def children(self) -> list[str]:
        """Everyone before birth to 18."""
        return [
            number
            for number, person in self.people.items()
            if self.is_resident(person) and completed_months(person.born_on, self.as_of) < ADULT_MONTHS
        ] + list(self.unborn())

    def protected(self) -> set[str]:
        """People under a support measure in force; its last day is one of its days."""
        numbers = set()
        for number, person in self.people.items():
            if person.measure is None:
                continue
            since, until = person.measure
            if (since is None or since <= self.as_of) and (until is None or until >= self.as_of):
                numbers.add(number)
        return numbers

    # where they live

    def periods(self) -> list[Stay]:
        """Stays as they were: a stay ends at the latest when the person leaves the city."""
        stays = []
        placed = {stay.person for stay in self.stays}
        for stay in self.stays:
            person = self.people.get(stay.person)
            until = stay.until
            if person and person.left_on and stay.since < person.left_on:
                until = min(until or FOREVER, person.left_on)
            stays.append(Stay(stay.person, stay.household, stay.since, until, stay.relation))
        for number, person in self.people.items():
            if number not in placed:
                stays.append(Stay(number, person.household, person.resident_since, person.left_on))
        return [stay for stay in stays if stay.since <= self.as_of and (stay.until is None or stay.until > stay.since)]

    def households(self) -> dict[str, str]:
        """The household of each resident and unborn child on the date."""
        household_of = {
            stay.person: stay.household
            for stay in sorted(self.periods(), key=lambda stay: (stay.since, stay.household))
            if (stay.until is None or stay.until > self.as_of) and self.is_resident(self.people[stay.person])
        }
        for child, pregnancy in self.unborn().items():
            if pregnancy.mother in household_of:
                household_of[child] = household_of[pregnancy.mother]
        return household_of

    # the genogram

    def parent_edges(self) -> set[Edge]:
        """By notice; a pregnancy names a mother of whom no notice tells; her husband is the unborn child's father."""
        edges: set[Edge] = set()
        for notice in self.notices:
            for parent in filter(None, (notice.father, notice.mother)):
                if notice.kind in ("出生", "認知"):
                    others = [
                        (other.day if other.kind == "認知" else self.people[other.child].born_on)
                        for other in self.notices
                        if other.kind in ("出生", "認知")
                        and other.child == notice.child
                        and parent in (other.father, other.mother)
                    ]
                    ended = [
                        other.day
                        for other in self.notices
                        if other.kind == "特別養子縁組" and other.child == notice.child
                    ]
                    edges.add(Edge("parent_of", parent, notice.child, min(others), min(ended, default=None)))
                elif notice.kind in ("養子縁組", "特別養子縁組"):
                    ended = [
                        other.day
                        for other in self.notices
                        if other.kind == "離縁"
                        and other.child == notice.child
                        and (parent in (other.father, other.mother) or (other.father, other.mother) == (None, None))
                        and other.day >= notice.day
                    ]
                    edges.add(Edge("parent_of", parent, notice.child, notice.day, min(ended, default=None)))
        with_mother = {
            notice.child for notice in self.notices if notice.kind in ("出生", "認知") and notice.mother is not None
        }
        for pregnancy in self.pregnancies:
            if pregnancy.notified_on > self.as_of:
                continue
            if self.is_born(pregnancy):
                is_known = any(
                    (edge.one, edge.other) == (pregnancy.mother, pregnancy.newborn) and edge.since <= self.as_of
                    for edge in edges
                )
                if pregnancy.newborn not in with_mother and not is_known:
                    edges.add(Edge("parent_of", pregnancy.mother, pregnancy.newborn or "", pregnancy.notified_on, None))
                continue
            child = f"preg-{pregnancy.number}"
            edges.add(Edge("parent_of", pregnancy.mother, child, pregnancy.notified_on, None))
            husbands = [
                couple
                for couple in self.couples()
                if couple.other == pregnancy.mother
                and couple.since <= self.as_of
                and (couple.until is None or couple.until > self.as_of)
            ]
            for couple in sorted(husbands, key=lambda couple: couple.one)[:1]:
                since = max(pregnancy.notified_on, couple.since)
                edges.add(Edge("parent_of", couple.one, child, since, None))
        return {edge for edge in edges if edge.since <= self.as_of}

    def couples(self) -> set[Edge]:
        """Marriages by notice, each to its divorce."""
        edges = set()
        for marriage in self.marriages:
            if marriage.kind == "婚姻":
                ended = [
                    other.day
                    for other in self.marriages
                    if other.kind == "離婚"
                    and (other.husband, other.wife) == (marriage.husband, marriage.wife)
                    and other.day >= marriage.day
                ]
                edges.add(Edge("partner_of", marriage.husband, marriage.wife, marriage.day, min(ended, default=None)))
        return edges

    def partner_edges(self) -> set[Edge]:
        """Marriages, and 夫（未届）・妻（未届） beside the head of a household."""
        edges = {edge for edge in self.couples() if edge.since <= self.as_of}
        for head, partner in itertools.product(self.periods(), repeat=2):
            if head.relation != "02" or partner.relation not in ("13", "14") or head.household != partner.household:
                continue
            since = max(head.since, partner.since)
            until = min(head.until or FOREVER, partner.until or FOREVER)
            if since < until:
                husband, wife = (
                    (head.person, partner.person) if partner.relation == "14" else (partner.person, head.person)
                )
                edges.add(Edge("partner_of", husband, wife, since, None if until == FOREVER else until))
        return edges

    def household_edges(self) -> set[Edge]:
        """Who lived with whom at the same time; a household that ever had more than ten people makes no edge."""
        edges = set()
        homes: dict[str, list[Stay]] = {}
        for stay in self.periods():
            homes.setdefault(stay.household, []).append(stay)
        for stays in homes.values():
            largest = max(
                len({stay.person for stay in stays if stay.since <= day and (stay.until or FOREVER) > day})
                for day in {stay.since for stay in stays}
            )
            if largest > LARGEST_FAMILY:
                continue
            for one, other in itertools.permutations(stays, 2):
                since = max(one.since, other.since)
                until = min(one.until or FOREVER, other.until or FOREVER)
                if one.person < other.person and since < until:
                    edges.add(
                        Edge(
                            "shared_household",
                            one.person,
                            other.person,
                            since,
                            None if until == FOREVER else until,
                        )
                    )
        return edges

    # chains

    def known_cases(self) -> list[Case]:
        """Cases by the date; a consultation only with an abuse kind."""
        return [
            case
            for case in self.cases
            if case.day <= self.as_of and (case.source != "child_consultations" or case.abuse not in NO_ABUSE)
        ]

    def ancestors(self, child: str, parents: dict[str, set[str]], generations: int) -> list[set[str]]:
        """The people of each generation above a child."""
        layers = [{child}]
        for _ in range(generations):
            layers.append({parent for person in layers[-1] for parent in parents.get(person, ())})
        return layers[1:]

    def vertical(self) -> tuple[set[Chain], dict[str, int]]:
        """Vertical chains that can be shown, and their value per child, which counts the others too."""
        protected = self.protected()
        parents: dict[str, set[str]] = {}
        for edge in self.parent_edges():
            parents.setdefault(edge.other, set()).add(edge.one)
        cases: dict[str, list[Case]] = {}
        for case in self.known_cases():
            person = self.people.get(case.person)
            if person and completed_months(person.born_on, case.day) < ADULT_MONTHS:
                cases.setdefault(case.person, []).append(case)
        chains, values = set(), {}
        for child in self.children():
            paths: dict[str, tuple[str, ...]] = {}
            generations = set()
            for path in _walks(child, parents, GENERATIONS):
                end = path[-1]
                if end == child or end not in cases:
                    continue
                generations.add(len(path) - 1)
                if protected & set(path[1:]):
                    continue
                if end not in paths or (len(path), path) < (len(paths[end]), paths[end]):
                    paths[end] = path
            values[child] = len(generations)
            chains |= {
                Chain(child, "vertical", end, len(path) - 1, ">".join(path), _latest(cases[end]))
                for end, path in paths.items()
            }
        return chains, values

    def horizontal(self) -> tuple[set[Chain], dict[str, int]]:
        """Horizontal chains that can be shown, and their value per child, which counts the others too."""
        protected = self.protected()
        parent_edges = self.parent_edges()
        parents: dict[str, set[str]] = {}
        for edge in parent_edges:
            parents.setdefault(edge.other, set()).add(edge.one)
        neighbours: dict[str, set[str]] = {}
        for edge in parent_edges | self.partner_edges() | self.household_edges():
            neighbours.setdefault(edge.one, set()).add(edge.other)
            neighbours.setdefault(edge.other, set()).add(edge.one)
        oldest = months_before(self.as_of, RECENT_MONTHS)
        cases: dict[str, list[Case]] = {}
        for case in self.known_cases():
            if case.day > oldest:
                cases.setdefault(case.person, []).append(case)
        households = self.households()
        chains, values = set(), {}
        for child in self.children():
            forbidden = {child}.union(*self.ancestors(child, parents, len(self.people)))
            paths: dict[str, tuple[str, ...]] = {}
            ends = set()
            for path in _walks(child, neighbours, EDGES):
                end = path[-1]
                if end in forbidden or end not in cases:
                    continue
                if households.get(child) is not None and households.get(child) == households.get(end):
                    continue
                ends.add(end)
                if protected & set(path[1:]):
                    continue
                if end not in paths or (len(path), path) < (len(paths[end]), paths[end]):
                    paths[end] = path
            values[child] = len(ends)
            chains |= {
                Chain(child, "horizontal", end, len(path) - 1, ">".join(path), _latest(cases[end]))
                for end, path in paths.items()
            }
        return chains, values


def _walks(start: str, neighbours: dict[str, set[str]], longest: int) -> Iterator[tuple[str, ...]]:
    """Every walk of one to ``longest`` steps that does not come back to its start."""
    walks = [(start,)]
    for _ in range(longest):
        walks = [(*walk, other) for walk in walks for other in neighbours.get(walk[-1], ()) if other != start]
        yield from walks


def _latest(cases: list[Case]) -> tuple[str, dt.date]:
    """The case that is named: the last one, of one day the first source."""
    case = min(cases, key=lambda case: (-case.day.toordinal(), case.source, case.key))
    return case.source, case.day


def completed_months(since: dt.date, day: dt.date) -> int:
    """Completed months between two dates: the last one counts from the same day of the month on."""
    return (day.year - since.year) * 12 + day.month - since.month - (day.day < since.day)


def months_before(day: dt.date, months: int) -> dt.date:
    """The same day of the month so many months earlier, or the last one of that month."""
    place = day.year * 12 + day.month - 1 - months
    year, month = divmod(place, 12)
    for number in range(day.day, 0, -1):
        try:
            return dt.date(year, month + 1, number)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")
