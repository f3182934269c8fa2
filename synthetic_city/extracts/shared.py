"""What the builders of extracts share: the city as a whole, its numbers, and questions about years and months."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from synthetic_city.calendar_days import (
    OPEN,
    add_years,
    months_of,
)
from synthetic_city.circumstances import Circumstances, Situation
from synthetic_city.external import ExternalPeople
from synthetic_city.history import History, Segments
from synthetic_city.names import Names
from synthetic_city.population import (
    RESIDENT,
    YEAR,
    Population,
)
from synthetic_city.writing import Extract


class Numbers:
    """The numbers that the city's systems give: 宛名番号 and 世帯番号, in the order in which people came."""

    def __init__(self, population: Population) -> None:
        people = population.people
        rng = np.random.default_rng([population.parameters.seed, 3])
        registered = np.minimum(people.registered, people.second_from)
        known = np.flatnonzero(registered < OPEN)
        second = np.flatnonzero(people.second_from < OPEN)
        days = np.concatenate([registered[known], people.second_from[second]])
        order = np.argsort(days, kind="stable")
        values = np.empty(len(days), dtype=np.int64)
        values[order] = 1_000_000 + np.cumsum(rng.integers(1, 9, len(days)))
        self.first = np.zeros(len(people), dtype=np.int64)
        self.second = np.zeros(len(people), dtype=np.int64)
        self.first[known], self.second[second] = values[: len(known)], values[len(known) :]
        self.second_from = people.second_from
        self.household = 20_000_000 + np.cumsum(rng.integers(1, 6, len(population.households)))
        self._padded = np.full(len(people), "", dtype=object)
        stays = np.unique(population.stays.person)
        self._padded[stays] = [f"{value:015d}" for value in self.first[stays].tolist()]
        self._padded_second = {int(person): f"{self.second[person]:015d}" for person in second}

    def value(self, persons: np.ndarray, days: np.ndarray) -> np.ndarray:
        """The 宛名番号 in force for each person on a day, as an integer (0: none)."""
        return np.where(days >= self.second_from[persons], self.second[persons], self.first[persons])

    def text(self, persons: np.ndarray, days: np.ndarray | int) -> np.ndarray:
        """The same as text of 15 digits; empty for -1 and for people without a number."""
        persons = np.asarray(persons, dtype=np.int64)
        text = self._padded[persons].copy()
        for position in np.flatnonzero(np.broadcast_to(days, persons.shape) >= self.second_from[persons]):
            text[position] = self._padded_second[int(persons[position])]
        text[persons < 0] = ""
        return text

    def now(self, persons: np.ndarray) -> np.ndarray:
        """The latest number of each person, as text of 15 digits."""
        return self.text(persons, OPEN - 1)

    def household_text(self, households: np.ndarray) -> np.ndarray:
        """Household numbers as text of 15 digits."""
        known, inverse = np.unique(households, return_inverse=True)
        table = np.array([f"{self.household[number]:015d}" for number in known.tolist()], dtype=object)
        return table[inverse] if len(known) else np.empty(0, dtype=object)


class City:
    """Everything that the builders of extracts and of the truth look at."""

    def __init__(
        self, population: Population, history: History, circumstances: Circumstances, segments: Segments, names: Names
    ) -> None:
        self.population, self.history, self.circumstances = population, history, circumstances
        self.segments, self.names = segments, names
        self.people = population.people
        self.parameters, self.as_of = population.parameters, population.as_of
        self.numbers = Numbers(population)
        self.rng = np.random.default_rng([self.parameters.seed, 5])
        self.residents = np.flatnonzero(self.people.status == RESIDENT)
        self.known = self.numbers.first > 0
        self.birth = self.people.birth.astype(np.int64)
        self.current = circumstances.situations[0].children
        self.external = ExternalPeople(self)
        self.truth_keys: dict[str, list] = {}
        self.unborn: list[tuple[str, int, int]] = []
        self.corrections: list[tuple[str, str, str, str, str]] = []
        """source, key, heading, value as first delivered, value as corrected."""

    def own_rng(self, number: int) -> np.random.Generator:
        """A generator of random numbers of its own for one source: its rows move no other source's."""
        return np.random.default_rng([self.parameters.seed, 11, number])

    def age(self, persons: np.ndarray, on: int | np.ndarray) -> np.ndarray:
        """Age in years."""
        return (on - self.birth[persons]) / YEAR

    def full_name(self, persons: np.ndarray, days: np.ndarray, gap: str = "　") -> np.ndarray:
        """Surname and given name as the register writes them on a day."""
        surname = self.history.surname_at(persons, days)
        return self.names.surnames[surname] + gap + self.names.given[self.people.given[persons]]

    def kana(self, persons: np.ndarray, days: np.ndarray, gap: str = " ") -> np.ndarray:
        """The same in katakana."""
        surname = self.history.surname_at(persons, days)
        return self.names.surname_kana[surname] + gap + self.names.given_kana[self.people.given[persons]]

    def alive_and_here(self, persons: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Whether each person is resident on a day."""
        return self.history.household_at(persons, np.asarray(days)) >= 0

    def first_home_year(self) -> int:
        """The first year of monthly records."""
        return self.parameters.as_of.year - self.parameters.monthly_records_years


def snapshots(city: City, years: int) -> list[tuple[int, int, Situation]]:
    """(years before, day, situation of the children then), oldest first, for the last years and the as-of date."""
    anchor = np.array([city.as_of])
    return [
        (before, int(add_years(anchor, -before)[0]), city.circumstances.situations[before])
        for before in range(years, -1, -1)
        if before in city.circumstances.situations
    ]


def spells(
    rng: np.random.Generator, yearly: list[tuple[int, np.ndarray]], as_of: int, stay: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Runs of consecutive years in which a person is in a yearly list → person, start, end (OPEN while it goes on)."""
    persons = np.concatenate([list_ for _, list_ in yearly]) if yearly else np.empty(0, dtype=np.int64)
    index = np.concatenate([np.full(len(list_), number) for number, (_, list_) in enumerate(yearly)])
    days = np.array([on for on, _ in yearly] + [OPEN], dtype=np.int64)
    order = np.lexsort((index, persons))
    persons, index = persons[order], index[order]
    opens = np.append(True, (persons[1:] != persons[:-1]) | (index[1:] != index[:-1] + 1))[: len(persons)]
    first = np.flatnonzero(opens)
    last = np.append(first[1:], len(persons)) - 1
    start = days[index[first]] - rng.integers(0, 330, len(first))
    ended = index[last] < len(yearly) - 1
    end = np.where(ended, days[index[last]] + rng.integers(1, 330, len(first)), OPEN)
    end = np.where(end > as_of, OPEN, end)
    return persons[first].astype(np.int64), start, end


def custodian_at(city: City, children: np.ndarray, on: np.ndarray, father_first: bool) -> np.ndarray:
    """The parent with whom each child lives on a day (or -1): the father of a couple first, or the mother."""
    people, history = city.people, city.history
    home = history.household_at(children, on)
    order = (people.father, people.mother) if father_first else (people.mother, people.father)
    custodians = np.full(len(children), -1, dtype=np.int64)
    for parent in order:
        who = parent[children].astype(np.int64)
        here = (who >= 0) & (home >= 0) & (history.household_at(who, on) == home) & (custodians < 0)
        custodians = np.where(here, who, custodians)
    return custodians


def children_in_want(city: City) -> tuple[np.ndarray, np.ndarray]:
    """The child and the day for each time that a household with children came to want."""
    years = list(city.circumstances.in_want.values())
    children, days = (np.concatenate(columns).astype(np.int64) for columns in zip(*years, strict=True))
    return children, days


def in_want(city: City) -> tuple[np.ndarray, np.ndarray]:
    """The parent (the mother first) and the day for each time that a household with children came to want."""
    children, days = children_in_want(city)
    who = custodian_at(city, children, days, father_first=False)
    pairs = np.unique(np.stack([days, who], axis=1)[who >= 0], axis=0)
    return pairs[:, 1], pairs[:, 0]


def lives_with_minors(city: City, persons: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Whether there was a minor in the household of each person, at the beginning of the year of each day."""
    homes = city.history.household_at(persons, days)
    before = years_before(city, months_of(days))
    result = np.zeros(len(persons), dtype=bool)
    for number in np.unique(before):
        situation = city.circumstances.situations.get(int(number))
        if situation is not None:
            rows = before == number
            result[rows] = (homes[rows] >= 0) & np.isin(homes[rows], situation.household)
    return result


def monthly(
    start: np.ndarray, end: np.ndarray, first: int, last: int, skip: tuple[int, ...] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Row position and month number for every month in which a stay is open, between two month numbers."""
    low = np.maximum(months_of(start), first)
    high = np.minimum(months_of(end), last)
    count = np.maximum(high - low + 1, 0)
    position = np.repeat(np.arange(len(start)), count)
    month = np.arange(len(position)) - np.repeat(np.cumsum(count) - count, count) + low[position]
    if skip:
        keep = ~np.isin(month % 12 + 1, skip)
        position, month = position[keep], month[keep]
    return position, month


def years_before(city: City, months: np.ndarray) -> np.ndarray:
    """Which year back from the as-of date a month lies in (0: not over yet), as the situations are numbered."""
    end = int(months_of(np.array([city.as_of]))[0])
    return np.maximum((end - months + 11) // 12, 1)


def factor_by_month(
    city: City, children: np.ndarray, months: np.ndarray, names: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """The factors of children in the year of each month."""
    result = {name: np.zeros(len(children), dtype=bool) for name in names}
    before = years_before(city, months)
    for number in np.unique(before):
        situation = city.circumstances.situations.get(int(number))
        if situation is None:
            continue
        rows = np.flatnonzero(before == number)
        order = np.argsort(situation.children)
        place = np.searchsorted(situation.children[order], children[rows])
        place = np.minimum(place, len(order) - 1)
        is_known = situation.children[order][place] == children[rows]
        for name in names:
            result[name][rows] = is_known & situation.factors[name][order[place]]
    return result


def in_year_lists(city: City, lists: dict[int, np.ndarray], children: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Whether each child stands in the list of the year of each month."""
    result = np.zeros(len(children), dtype=bool)
    before = years_before(city, months)
    for number in np.unique(before):
        rows = before == number
        result[rows] = np.isin(children[rows], lists.get(int(number), np.empty(0)))
    return result


def recent_part(days: np.ndarray, as_of: int, within: int = 60) -> np.ndarray:
    """0 for the first file of a delta, 1 for what came in the last days and is delivered in the second."""
    return (days > as_of - within).astype(np.int64)


def correct_later(
    city: City, extract: Extract, heading: str, wrong: Callable[[str], str], keys: tuple[str, ...]
) -> Extract:
    """Some rows of a delta come wrong first, and again, right, with its second file: a row of the same key corrects."""
    rng = np.random.default_rng([city.parameters.seed, 9, len(extract)])
    early = np.flatnonzero((extract.recent == 0) & (extract.columns[heading] != ""))
    count = min(len(early), max(1, round(city.parameters.correction_rate * len(early))))
    rows = np.sort(rng.choice(early, count, replace=False))
    right = extract.columns[heading][rows]
    for name, values in extract.columns.items():
        extract.columns[name] = np.concatenate([values, values[rows]])
    mistaken = np.array([wrong(text) for text in right.tolist()], dtype=object)
    extract.columns[heading][rows] = mistaken
    extract.recent = np.concatenate([extract.recent, np.ones(count, dtype=np.int64)])
    for row, before, after in zip(rows.tolist(), mistaken.tolist(), right.tolist(), strict=True):
        key = "|".join(extract.columns[name][row] for name in keys)
        city.corrections.append((extract.source, key, heading, before, after))
    return extract
