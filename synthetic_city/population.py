"""Life courses: births, marriages, separations, moves and deaths, month by month, until the as-of date.

The city is simulated from long before the as-of date, so that everybody who lives in its last decades has parents,
siblings, cousins and former households that agree with each other. Nothing here knows of extracts.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable

import numpy as np

from synthetic_city.calendar_days import OPEN, day, day_of, years_of
from synthetic_city.names import Names
from synthetic_city.parameters import BIRTHS, POPULATION, Parameters
from synthetic_city.places import WEIGHTS, draw_towns
from synthetic_city.tables import Table

MALE, FEMALE = 0, 1
RESIDENT, MOVED_OUT, DEAD = 1, 2, 3
MARRIED, UNREGISTERED = 1, 2
DIVORCED, WIDOWED, SEPARATED, CONVERTED = 1, 2, 3, 4
HOME, CARE_HOME, CHILDRENS_HOME = 0, 1, 2
FILED, RECOGNISED, UNNAMED = 1, 2, 3
"""How the father is known: the birth filing, a recognition (認知), or not at all."""

ARRIVED, BORN, MOVED_WITHIN, HOUSEHOLD_CHANGED, LEFT, DIED = 10, 11, 16, 17, 20, 21
"""Reasons for a change (異動事由), as the resident system numbers them."""

BIRTH, RECOGNITION, ADOPTION, DISSOLUTION = 0, 1, 2, 3
FILING_KINDS = ("出生", "認知", "養子縁組", "離縁")

YEAR = 365.25
GOMPERTZ = {MALE: (2.9e-5, 0.096), FEMALE: (1.05e-5, 0.1035)}
"""Mortality a·exp(b·age) fitted to the life table of 2020: 5 % at 85 for men, 2.6 % for women of that age and over."""


def _series(table: dict[int, float], years_before: float) -> float:
    points = sorted(table)
    return float(np.interp(years_before, points, [table[point] for point in points]))


class Population:
    """The people of the city and their households, unions, stays, filings and renamings over time."""

    def __init__(
        self, parameters: Parameters, names: Names, progress: Callable[[str, float], None] | None = None
    ) -> None:
        self.parameters = parameters
        self.names = names
        self.rng = np.random.default_rng([parameters.seed, 1])
        self.progress = progress
        self.as_of = day_of(parameters.as_of)
        integer = (np.int32, -1)
        self.people = Table(
            {
                "birth": (np.int32, 0),
                "sex": (np.int8, 0),
                "mother": integer,
                "father": integer,
                "father_known": (np.int8, 0),
                "adopter": integer,
                "adopted_from": (np.int32, OPEN),
                "adopted_to": (np.int32, OPEN),
                "spouse": integer,
                "union": integer,
                "household": integer,
                "stay": integer,
                "status": (np.int8, 0),
                "ended": (np.int32, OPEN),
                "last_household": integer,
                "surname": (np.int16, 0),
                "birth_surname": (np.int16, 0),
                "given": (np.int16, 0),
                "adversity": (np.float32, 0.0),
                "last_birth": (np.int32, -OPEN),
                "native": (np.int8, 0),
                "second_from": (np.int32, OPEN),
                "foreign": (np.int8, 0),
                "registered": (np.int32, OPEN),
                "twin": integer,
            }
        )
        self.households = Table(
            {
                "head": integer,
                "town": (np.int16, 0),
                "number": (np.int16, 1),
                "branch": (np.int16, 0),
                "kind": (np.int8, HOME),
                "municipality": (np.int8, 0),
            }
        )
        self.stays = Table(
            {
                "person": integer,
                "household": integer,
                "start": (np.int32, 0),
                "end": (np.int32, OPEN),
                "why_in": (np.int8, 0),
                "why_out": (np.int8, 0),
                "second": (np.int8, 0),
            }
        )
        self.heads = Table({"household": integer, "day": (np.int32, 0), "head": integer})
        self.versions = Table({"household": integer, "day": (np.int32, 0)})
        self.addresses = Table(
            {
                "household": integer,
                "day": (np.int32, 0),
                "town": (np.int16, 0),
                "number": (np.int16, 1),
                "branch": (np.int16, 0),
            }
        )
        self.unions = Table(
            {
                "husband": integer,
                "wife": integer,
                "kind": (np.int8, MARRIED),
                "start": (np.int32, 0),
                "end": (np.int32, OPEN),
                "end_kind": (np.int8, 0),
                "filed": (np.int8, 1),
                "violent": (np.int8, 0),
            }
        )
        self.renamings = Table({"person": integer, "day": (np.int32, 0), "old": (np.int16, 0), "new": (np.int16, 0)})
        self.filings = Table(
            {"child": integer, "father": integer, "mother": integer, "kind": (np.int8, 0), "day": (np.int32, 0)}
        )
        self.protections = Table({"person": integer, "start": (np.int32, 0), "end": (np.int32, OPEN)})
        self.active = np.empty(0, dtype=np.int64)
        self.minors = np.empty(0, dtype=np.int64)
        self._person_mark = np.full(1, -1, dtype=np.int32)
        self._household_mark = np.full(1, -1, dtype=np.int32)
        self.care_homes: np.ndarray = np.empty(0, dtype=np.int64)
        self.childrens_home = -1
        self._minors_of: np.ndarray | None = None
        self._parents_of_minors: list[np.ndarray] = []
        self.same_name: dict[int, int] = {}

    # --- the run --------------------

    def simulate(self) -> None:
        """Run from the first year to the as-of date, and end with exactly the residents asked for."""
        as_of = self.parameters.as_of
        first_year = as_of.year - self.parameters.burn_in_years
        self._create_first_people(first_year)
        years = range(first_year, as_of.year + 1)
        for year in years:
            self._year(year)
            if year == self.parameters.history_from_year - 1:
                self._forget_before(day(self.parameters.history_from_year))
            if self.progress:
                self.progress("life courses", (year - first_year + 1) / len(years))
        self._settle_count()
        self._plant_same_names()

    def _plant_same_names(self) -> None:
        """Strangers of one surname and sex who were born within days of each other get one name and birth date."""
        people, rng = self.people, self.rng
        persons = self.active[(people.foreign[self.active] == 0) & (people.twin[self.active] < 0)]
        persons = persons[people.birth[persons] > self.as_of - 70 * YEAR]
        order = np.lexsort((people.birth[persons], people.sex[persons], people.surname[persons]))
        persons = persons[order]
        one, other = persons[:-1], persons[1:]
        fits = (people.surname[one] == people.surname[other]) & (people.sex[one] == people.sex[other])
        fits &= (people.birth[other] - people.birth[one] <= 25) & (people.birth[other] > people.birth[one])
        fits &= (people.mother[one] != people.mother[other]) & (people.household[one] != people.household[other])
        fits &= people.birth[other] < self.as_of - 400
        pairs = np.flatnonzero(fits)
        young = people.birth[one[pairs]] > self.as_of - 17 * YEAR
        wanted = max(2, round(self.parameters.same_name_pairs * self.parameters.scale))
        taken: list[int] = []
        for pool in (pairs[young], pairs[~young]):
            for pair in rng.permutation(pool)[: wanted - wanted // 2]:
                a, b = int(one[pair]), int(other[pair])
                if a in self.same_name or b in self.same_name:
                    continue
                earlier = people.birth[a]
                born = (self.stays.person == b) & (self.stays.why_in == BORN)
                self.stays.start[born] = earlier
                people.registered[b] = min(people.registered[b], earlier) if born.any() else people.registered[b]
                people.birth[b], people.given[b] = earlier, people.given[a]
                self.same_name.update({a: b, b: a})
                taken.append(a)

    def _year(self, year: int) -> None:
        self._begin_year(year)
        plan = self._plan(year)
        # Steps of two months; longer ones before the records begin, and single months up to the as-of date.
        step = 1 if year == self.parameters.as_of.year else 2
        if year < self.parameters.history_from_year - 1:
            step = 6
        for month in range(1, 13, step):
            last_month = month + step - 1
            first = day(year, month)
            length = day(year, last_month, calendar.monthrange(year, last_month)[1]) - first + 1
            if first + length - 1 > self.as_of:
                return
            order = self.rng.permutation(len(plan))
            names = list(plan)
            for slot, number in enumerate(order):
                handler, subjects, months = plan[names[number]]
                chosen = subjects[(months >= month) & (months <= last_month)]
                if not len(chosen):
                    continue
                low, high = slot * length // len(plan), (slot + 1) * length // len(plan)
                handler(chosen, (first + self.rng.integers(low, max(high, low + 1), len(chosen))).astype(np.int64))
            self._births(year, first, length)

    def _begin_year(self, year: int) -> None:
        people = self.people
        self.active = np.flatnonzero(people.status == RESIDENT)
        self.year_start = day(year)
        self.minors = self.active[people.birth[self.active] > day(year - 19)]

    def _forget_before(self, limit: int) -> None:
        """Drop what ended before the records begin, and renumber what refers to the stays that are kept."""
        kept = self.stays.end >= limit
        renumbered = np.cumsum(kept) - 1
        stay = self.people.stay
        stay[stay >= 0] = renumbered[stay[stay >= 0]]
        self.stays.keep(kept)

    # --- planning a year --------------------

    def _plan(self, year: int) -> dict[str, tuple[Callable[[np.ndarray, np.ndarray], None], np.ndarray, np.ndarray]]:
        rng, people, p = self.rng, self.people, self.parameters
        active = self.active
        age = (self.year_start - people.birth[active]) / YEAR
        sex = people.sex[active]
        single = people.spouse[active] < 0
        household = people.household[active]
        is_home = self.households.kind[household] == HOME
        is_head = self.households.head[household] == active
        before = p.as_of.year + (p.as_of.month - 1) / 12 - year
        plan = {}

        def months(count: int, weights: np.ndarray | None = None) -> np.ndarray:
            return rng.choice(12, count, p=None if weights is None else weights / weights.sum()) + 1

        moving_season = np.array([3, 3, 14, 9, 4, 3, 4, 4, 4, 4, 3, 3.0])

        hazard = np.empty(len(active))
        improvement = 1 + 0.012 * max(before - 5, 0)
        for a_sex, (level, slope) in GOMPERTZ.items():
            chosen = sex == a_sex
            hazard[chosen] = level * improvement * np.exp(slope * np.minimum(age[chosen], 108)) + 0.0002
        dying = active[rng.random(len(active)) < hazard]
        plan["death"] = (self._deaths, dying, months(len(dying), np.array([12, 10, 9, 8, 7, 7, 7, 8, 7, 8, 8, 9.0])))

        at_18 = (people.birth[active] > day(year - 19, 4, 1)) & (people.birth[active] <= day(year - 18, 4, 1))
        leaving = (
            single
            & ~is_head
            & (
                (at_18 & ~is_home)
                | (at_18 & (rng.random(len(active)) < p.leave_at_18))
                | ((age >= 19) & (age < 30) & (rng.random(len(active)) < p.leave_in_twenties))
            )
        )
        leavers = active[leaving]
        plan["leave"] = (
            self._leave,
            leavers,
            np.where(
                at_18[leaving], rng.choice([3, 4], len(leavers), p=[0.7, 0.3]), months(len(leavers), moving_season)
            ),
        )

        families = is_head & is_home & (age < 58)
        going = families & (rng.random(len(active)) < p.household_leaves * np.where(age < 42, 1.7, 0.6))
        births = _series(BIRTHS, before) * p.scale
        target = _series(POPULATION, before - 1) * p.scale
        size = len(active) / max(is_head.sum(), 1)
        arrivals = target - len(active) + hazard.sum() + leaving.sum() + going.sum() * size - births
        floor = 0.006 * len(active)
        if arrivals < floor:
            extra = (floor - arrivals) / size / max(families.sum(), 1)
            going |= families & (rng.random(len(active)) < extra)
            arrivals = floor
        movers = household[going]
        plan["household leaves"] = (self._household_leaves, movers, months(len(movers), moving_season))
        returns = round(arrivals * p.return_share / 1.5)
        newcomers = round(arrivals * (1 - p.return_share) / 1.75)
        away = np.flatnonzero((people.status == MOVED_OUT) & (people.native == 1))
        years_old = (self.year_start - people.birth[away]) / YEAR
        away = away[(years_old >= 19.5) & (years_old < 66) & (people.ended[away] < self.year_start - 200)]
        if len(away):
            weight = np.exp(-np.abs((self.year_start - people.birth[away]) / YEAR - 27) / 9)
            returning = away[_weighted(rng, weight, min(returns, len(away)))]
            newcomers += round((returns - len(returning)) * 0.8)
        else:
            returning = away
            newcomers += round(returns * 0.8)
        plan["return"] = (self._return, returning, months(len(returning), moving_season))
        plan["arrive"] = (self._arrive, np.arange(newcomers), months(newcomers, moving_season))

        marriageable = single & (people.household[active] >= 0) & is_home & (age >= 18) & (age < 52)
        era = np.interp(before, [15, 35, 45], [1.0, 1.8, 2.4])
        eager = np.interp(age, [18, 20, 24, 28, 32, 36, 42, 52], [0.012, 0.04, 0.08, 0.12, 0.09, 0.055, 0.02, 0.004])
        eager = np.minimum(eager * 1.5 * era, 0.5)
        brides = active[marriageable & (sex == FEMALE) & (rng.random(len(active)) < eager)]
        grooms = active[marriageable & (sex == MALE) & (rng.random(len(active)) < eager * 0.8)]
        pairs = self._pair(brides, grooms)
        plan["marriage"] = (self._marriages_planned, np.arange(len(pairs)), months(len(pairs)))
        self._planned_pairs = pairs
        cohabiting = active[marriageable & (rng.random(len(active)) < p.cohabitation_rate * 2)]
        unregistered = self._pair(
            cohabiting[people.sex[cohabiting] == FEMALE], cohabiting[people.sex[cohabiting] == MALE], outside=0.05
        )
        unregistered = unregistered[unregistered[:, 0] >= 0]
        unregistered = unregistered[unregistered[:, 1] >= 0]
        plan["cohabit"] = (self._cohabit, np.arange(len(unregistered)), months(len(unregistered)))
        self._planned_cohabiting = unregistered

        unions = self.unions
        opened = np.flatnonzero(unions.end == OPEN)
        years_together = (self.year_start - unions.start[opened]) / YEAR
        strain = (people.adversity[unions.husband[opened]] + people.adversity[unions.wife[opened]]) / 2
        divorce = p.divorce_rate * np.interp(before, [0, 25, 50], [1.0, 0.9, 0.45]) * 1.6
        divorce = divorce * np.exp(-years_together / 14) * np.exp(0.55 * strain)
        divorce = divorce * np.where(unions.violent[opened] == 1, 3.0, 1.0) * np.where(unions.kind[opened] == 2, 5, 1)
        parting = opened[rng.random(len(opened)) < divorce]
        plan["divorce"] = (self._part, parting, months(len(parting)))
        converting = opened[(unions.kind[opened] == UNREGISTERED) & (rng.random(len(opened)) < 0.16)]
        plan["convert"] = (self._convert, converting, months(len(converting)))

        own_home = is_home & ~is_head & (age >= 20) & (age < 40)
        departing = active[own_home & (rng.random(len(active)) < np.where(single, 0.012, 0.035))]
        plan["own home"] = (self._own_home, departing, months(len(departing), moving_season))
        relocating = household[
            is_head & is_home & (rng.random(len(active)) < p.move_within * np.interp(age, [25, 45, 75], [3, 1, 0.3]))
        ]
        plan["relocate"] = (self._relocate, relocating, months(len(relocating), moving_season))
        frail = active[is_home & (age >= 78) & (rng.random(len(active)) < p.institution_rate)]
        plan["care home"] = (self._enter_care, frail, months(len(frail)))
        child = is_home & (age >= 3) & (age < 16) & (people.adversity[active] > 1.2)
        placed = active[child & (rng.random(len(active)) < 0.004)]
        plan["children's home"] = (self._enter_childrens_home, placed, months(len(placed)))
        return plan

    def _pair(self, brides: np.ndarray, grooms: np.ndarray, outside: float = 0.2) -> np.ndarray:
        """Pairs of similar age and, more weakly, similar circumstances; -1 stands for a partner from outside."""
        rng, people = self.rng, self.people
        alone_brides = rng.random(len(brides)) < outside * 0.5
        alone_grooms = rng.random(len(grooms)) < outside * 1.5
        pull = 4 * self.parameters.assortative_mating

        def order(persons: np.ndarray, shift: float) -> np.ndarray:
            key = people.birth[persons] / YEAR + shift + pull * people.adversity[persons]
            return persons[np.argsort(key + rng.normal(0, 1.5, len(persons)), kind="stable")]

        inside_brides, inside_grooms = order(brides[~alone_brides], 0.0), order(grooms[~alone_grooms], 1.7)
        count = min(len(inside_brides), len(inside_grooms))
        if count:
            take_brides = np.sort(rng.permutation(len(inside_brides))[:count])
            take_grooms = np.sort(rng.permutation(len(inside_grooms))[:count])
            inside = np.stack([inside_brides[take_brides], inside_grooms[take_grooms]], axis=1)
            bride, groom = inside[:, 0], inside[:, 1]
            kin = (people.mother[bride] >= 0) & (people.mother[bride] == people.mother[groom])
            kin |= (people.father[bride] >= 0) & (people.father[bride] == people.father[groom])
            kin |= (people.mother[bride] == groom) | (people.father[bride] == groom)
            kin |= (people.mother[groom] == bride) | (people.adopter[bride] == groom)
            kin |= people.household[bride] == people.household[groom]
            kin |= np.abs(people.birth[bride] - people.birth[groom]) > 16 * YEAR
            inside = inside[~kin]
        else:
            inside = np.empty((0, 2), dtype=np.int64)
        from_outside = [
            np.stack([brides[alone_brides], np.full(alone_brides.sum(), -1)], axis=1),
            np.stack([np.full(alone_grooms.sum(), -1), grooms[alone_grooms]], axis=1),
        ]
        return np.concatenate([inside, *from_outside]).astype(np.int64)

    # --- marks: which of these households or people, in one pass --------------------

    def members_of(self, households: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The residents of these (distinct) households: people, and the position of their household."""
        if not len(households):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        if len(self._household_mark) < len(self.households) + 1:
            self._household_mark = np.full(len(self.households) * 2 + 1, -1, dtype=np.int32)
        mark = self._household_mark
        mark[households] = np.arange(len(households))
        position = mark[self.people.household[self.active]]
        mark[households] = -1
        chosen = position >= 0
        return self.active[chosen], position[chosen]

    def children_with(self, parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Minors who live with these (distinct) parents: children, and the position of their parent."""
        people = self.people
        if not len(parents):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        if len(self._person_mark) < len(people) + 1:
            self._person_mark = np.full(len(people) * 2 + 1, -1, dtype=np.int32)
        mark = self._person_mark
        mark[parents] = np.arange(len(parents))
        minors = self.minors
        if self._minors_of is not minors:
            self._minors_of = minors
            self._parents_of_minors = [parent[minors] for parent in (people.mother, people.father, people.adopter)]
        position = mark[self._parents_of_minors[0]]
        for parent in self._parents_of_minors[1:]:
            position = np.where(position >= 0, position, mark[parent])
        mark[parents] = -1
        chosen = np.flatnonzero(position >= 0)
        children, position = minors[chosen], position[chosen]
        together = (
            (people.household[children] >= 0)
            & (people.household[children] == people.household[parents[position]])
            & (people.spouse[children] < 0)
            & ~np.isin(children, parents)
        )
        return children[together], position[together]

    # --- households --------------------

    def _new_households(self, count: int, kind: int = HOME, municipality: np.ndarray | None = None) -> np.ndarray:
        rng = self.rng
        if municipality is None:
            municipality = rng.choice(len(WEIGHTS), count, p=WEIGHTS)
        return self.households.append(
            count,
            town=draw_towns(rng, municipality),
            municipality=municipality,
            number=rng.integers(1, 2400, count),
            branch=np.where(rng.random(count) < 0.45, rng.integers(1, 25, count), 0),
            kind=kind,
        )

    def _set_heads(self, households: np.ndarray, heads: np.ndarray, days: np.ndarray) -> None:
        self.households.head[households] = heads
        self.heads.append(len(households), household=households, head=heads, day=days)
        self.versions.append(len(households), household=households, day=days)

    def _close_stays(self, persons: np.ndarray, days: np.ndarray, why: int) -> None:
        stay = self.people.stay[persons]
        self.stays.end[stay] = np.maximum(days, self.stays.start[stay])
        self.stays.why_out[stay] = why
        self.people.last_household[persons] = self.people.household[persons]
        self.people.household[persons] = -1
        self.people.stay[persons] = -1

    def _settle(self, persons: np.ndarray, households: np.ndarray, days: np.ndarray, why: int) -> None:
        """Put people into households: residents move (their old stay ends), others arrive."""
        people = self.people
        resident = people.household[persons] >= 0
        self._close_stays(persons[resident], days[resident], why)
        arriving = persons[~resident]
        reasons = np.where(resident, why, BORN if why == BORN else ARRIVED)
        people.stay[persons] = self.stays.append(
            len(persons),
            person=persons,
            household=households,
            start=days,
            why_in=reasons,
            second=people.second_from[persons] <= days,
        )
        people.household[persons] = households
        people.status[persons] = RESIDENT
        people.ended[persons] = OPEN
        if len(arriving):
            people.registered[arriving] = np.minimum(people.registered[arriving], days[~resident])
            self.active = np.concatenate([self.active, arriving])
            young = arriving[people.birth[arriving] > self.year_start - 19 * YEAR]
            self.minors = np.concatenate([self.minors, young])

    def _check_heads(self, households: np.ndarray, days: np.ndarray) -> None:
        """Give every one of these households whose head is gone a new head."""
        if not len(households):
            return
        order = np.lexsort((days, households))
        households, days = households[order], days[order]
        last = np.append(households[1:] != households[:-1], True)
        households, days = households[last], days[last]
        chosen = households >= 0
        households, days = households[chosen], days[chosen]
        head = self.households.head[households]
        vacant = (head < 0) | (self.people.household[head] != households)
        households, days = households[vacant], days[vacant]
        if not len(households):
            return
        members, position = self.members_of(households)
        if not len(members):
            return
        people = self.people
        age = (days[position] - people.birth[members]) / YEAR
        score = 1000 * (age >= 18) + 200 * ((age >= 24) & (age <= 72)) + 30 * (people.sex[members] == MALE) + age
        order = np.lexsort((members, score, position))
        members, position = members[order], position[order]
        last = np.append(position[1:] != position[:-1], True)
        self._set_heads(households[position[last]], members[last], days[position[last]])

    # --- events --------------------

    def _present(self, persons: np.ndarray, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distinct residents among these whose stay began before the day."""
        persons, first = np.unique(persons, return_index=True)
        days = days[first]
        stay = self.people.stay[persons]
        present = (self.people.household[persons] >= 0) & (self.stays.start[stay] < days)
        return persons[present], days[present]

    def _end_unions(self, unions: np.ndarray, days: np.ndarray, kind: int) -> None:
        self.unions.end[unions] = np.maximum(days, self.unions.start[unions] + 1)
        self.unions.end_kind[unions] = kind
        for role in (self.unions.husband, self.unions.wife):
            partner = role[unions]
            mine = self.people.union[partner] == unions
            self.people.spouse[partner[mine]] = -1
            self.people.union[partner[mine]] = -1
            partner_household = self.people.household[partner]
            self.versions.append(
                int((partner_household >= 0).sum()),
                household=partner_household[partner_household >= 0],
                day=days[partner_household >= 0],
            )

    def _deaths(self, persons: np.ndarray, days: np.ndarray) -> None:
        persons, days = self._present(persons, days)
        people = self.people
        households = people.household[persons].astype(np.int64)
        self._close_stays(persons, days, DIED)
        people.status[persons] = DEAD
        people.ended[persons] = days
        unions, first = np.unique(people.union[persons], return_index=True)
        self._end_unions(unions[unions >= 0], days[first][unions >= 0], WIDOWED)
        self._check_heads(households, days)

    def _depart(self, persons: np.ndarray, days: np.ndarray) -> None:
        """These residents leave the city."""
        households = self.people.household[persons].astype(np.int64)
        self._close_stays(persons, days, LEFT)
        self.people.status[persons] = MOVED_OUT
        self.people.ended[persons] = days
        self._check_heads(households, days)

    def _leave(self, persons: np.ndarray, days: np.ndarray) -> None:
        persons, days = self._present(persons, days)
        alone = self.people.spouse[persons] < 0
        persons, days = persons[alone], days[alone]
        children, position = self.children_with(persons)
        children, first = np.unique(children, return_index=True)
        self._depart(np.concatenate([persons, children]), np.concatenate([days, days[position[first]]]))

    def _household_leaves(self, households: np.ndarray, days: np.ndarray) -> None:
        households, first = np.unique(households, return_index=True)
        days = days[first]
        members, position = self.members_of(households)
        old = (days[position] - self.people.birth[members]) / YEAR > 62
        stays = self.stays.start[self.people.stay[members]]
        chosen = ~old & (stays < days[position])
        self._depart(members[chosen], days[position[chosen]])

    def _new_people(
        self, count: int, days: np.ndarray, birth: np.ndarray, sex: np.ndarray, **more: object
    ) -> np.ndarray:
        given = self.names.draw_given(self.rng, sex, years_of(birth))
        surname = more.pop("surname", None)
        if surname is None:
            surname = self.names.draw_surnames(self.rng, count)
        values = {"adversity": self.rng.normal(0, 1, count), **more}
        return self.people.append(
            count, birth=birth, sex=sex, surname=surname, birth_surname=surname, given=given, **values
        )

    def _inherit(self, mother: np.ndarray, father: np.ndarray) -> np.ndarray:
        """Latent adversity of children: part of their parents', the rest their own."""
        adversity = self.people.adversity
        mean = np.where(father >= 0, (adversity[mother] + adversity[father]) / 2 * 1.25, adversity[mother])
        share = self.parameters.adversity_inheritance
        return share * mean + np.sqrt(1 - share**2) * self.rng.normal(0, 1, len(mother))

    def _children_from_outside(
        self, mothers: np.ndarray, fathers: np.ndarray, days: np.ndarray, mean: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Children whom these mothers had elsewhere; returns children and the position of their mother."""
        rng, people = self.rng, self.people
        age = (days - people.birth[mothers]) / YEAR
        number = np.minimum(rng.poisson(mean, len(mothers)), np.clip((age - 20) // 2.5, 0, 4).astype(int))
        position = np.repeat(np.arange(len(mothers)), number)
        order = np.concatenate([np.arange(n) for n in number]) if len(number) else np.empty(0)
        youngest = rng.uniform(0.1, 4, len(mothers))
        years = youngest[position] + order * rng.uniform(1.9, 2.6, len(mothers))[position]
        kept = (years < 17.5) & (age[position] - years > 18)
        position, years = position[kept], years[kept]
        mother, father = mothers[position], fathers[position]
        birth = (days[position] - years * YEAR).astype(np.int64)
        children = self._new_people(
            len(position),
            days[position],
            birth,
            rng.integers(0, 2, len(position)).astype(np.int8),
            mother=mother,
            father=father,
            father_known=np.where(father >= 0, FILED, 0),
            surname=np.where(father >= 0, people.surname[np.maximum(father, 0)], people.surname[mother]),
            adversity=self._inherit(mother, father),
            native=1,
        )
        np.maximum.at(people.last_birth, mother, birth)
        return children, position

    def _partners_from_outside(self, persons: np.ndarray, days: np.ndarray) -> np.ndarray:
        people, rng = self.people, self.rng
        sex = 1 - people.sex[persons]
        gap = np.where(sex == FEMALE, 1.7, -1.7) + rng.normal(0, 2.2, len(persons))
        birth = np.minimum(people.birth[persons] + gap * YEAR, days - 18.5 * YEAR).astype(np.int64)
        adversity = self.parameters.assortative_mating * people.adversity[persons] + rng.normal(0, 0.93, len(persons))
        partners = self._new_people(len(persons), days, birth, sex, adversity=adversity)
        foreign = np.flatnonzero((sex == FEMALE) & (rng.random(len(persons)) < self.parameters.foreign_share * 0.5))
        self._make_foreign(partners[foreign])
        return partners

    def _make_foreign(self, persons: np.ndarray) -> None:
        for sex in (MALE, FEMALE):
            chosen = persons[self.people.sex[persons] == sex]
            choices = np.array(self.names.foreign_by_sex[sex])
            drawn = choices[self.rng.integers(0, len(choices), len(chosen))]
            self.people.surname[chosen] = self.people.birth_surname[chosen] = drawn[:, 0] if len(chosen) else 0
            self.people.given[chosen] = drawn[:, 1] if len(chosen) else 0
            self.people.foreign[chosen] = 1

    def _join(self, husbands: np.ndarray, wives: np.ndarray, days: np.ndarray, kind: int, filed: int) -> np.ndarray:
        strain = self.people.adversity[husbands]
        violent = self.rng.random(len(husbands)) < 1 / (1 + np.exp(-(-2.7 + 0.9 * strain)))
        unions = self.unions.append(
            len(husbands), husband=husbands, wife=wives, start=days, kind=kind, filed=filed, violent=violent
        )
        self.people.spouse[husbands], self.people.spouse[wives] = wives, husbands
        self.people.union[husbands] = self.people.union[wives] = unions
        return unions

    def _rename(self, persons: np.ndarray, surnames: np.ndarray, days: np.ndarray) -> None:
        changed = (self.people.surname[persons] != surnames) & (self.people.foreign[persons] == 0)
        persons, surnames, days = persons[changed], surnames[changed], days[changed]
        self.renamings.append(len(persons), person=persons, day=days, old=self.people.surname[persons], new=surnames)
        self.people.surname[persons] = surnames

    def _marriages_planned(self, numbers: np.ndarray, days: np.ndarray) -> None:
        pairs = self._planned_pairs[numbers]
        people = self.people
        ok = np.ones(len(pairs), dtype=bool)
        for column in (0, 1):
            person = pairs[:, column]
            inside = person >= 0
            stay = people.stay[person]
            ok &= ~inside | (
                (people.household[person] >= 0) & (people.spouse[person] < 0) & (self.stays.start[stay] < days)
            )
        pairs, days = pairs[ok], days[ok]
        for column in (0, 1):
            missing = pairs[:, column] < 0
            if missing.any():
                pairs[missing, column] = self._partners_from_outside(pairs[missing, 1 - column], days[missing])
        wives, husbands = pairs[:, 0], pairs[:, 1]
        self._live_together(husbands, wives, days)
        self._join(husbands, wives, days, MARRIED, 1)
        self._take_names(husbands, wives, days)

    def _take_names(self, husbands: np.ndarray, wives: np.ndarray, days: np.ndarray) -> None:
        """Spouses take one name; children who came along may be adopted and take it too."""
        people, rng, p = self.people, self.rng, self.parameters
        his = (rng.random(len(husbands)) < p.wife_takes_husbands_name) & (people.foreign[husbands] == 0)
        hers = ~his & (people.foreign[wives] == 0)
        self._rename(wives[his], people.surname[husbands[his]], days[his])
        self._rename(husbands[hers], people.surname[wives[hers]], days[hers])
        # A husband who joins the house of his wife's father under its name is often adopted by him (婿養子).
        father = people.father[wives].astype(np.int64)
        at_home = hers & (father >= 0) & (people.household[husbands] >= 0)
        at_home &= (people.household[father] == people.household[husbands]) & (people.adopted_from[husbands] == OPEN)
        at_home &= rng.random(len(husbands)) < p.son_in_law_adoption
        people.adopter[husbands[at_home]] = father[at_home]
        people.adopted_from[husbands[at_home]] = days[at_home]
        self.filings.append(
            int(at_home.sum()), child=husbands[at_home], kind=ADOPTION, day=days[at_home], father=father[at_home]
        )
        for parents, partners in ((wives, husbands), (husbands, wives)):
            children, position = self.children_with(parents)
            mine = (people.mother[children] != partners[position]) & (people.father[children] != partners[position])
            mine &= people.adopted_from[children] == OPEN
            mine &= rng.random(len(children)) < p.step_adoption
            children, position = children[mine], position[mine]
            people.adopter[children] = partners[position]
            people.adopted_from[children] = days[position]
            self._minors_of = None
            is_father = people.sex[partners[position]] == MALE
            self.filings.append(
                len(children),
                child=children,
                kind=ADOPTION,
                day=days[position],
                father=np.where(is_father, partners[position], -1),
                mother=np.where(is_father, -1, partners[position]),
            )
            self._rename(children, people.surname[partners[position]], days[position])
        household = people.household[husbands]
        self.versions.append(int((household >= 0).sum()), household=household[household >= 0], day=days[household >= 0])

    def _live_together(self, husbands: np.ndarray, wives: np.ndarray, days: np.ndarray) -> None:
        """One household for each pair: his family's, hers, the home one of them has, or a new one."""
        people, rng, p = self.people, self.rng, self.parameters
        count = len(husbands)
        his, hers = people.household[husbands].astype(np.int64), people.household[wives].astype(np.int64)
        kind = self.households.kind
        his_head = (his >= 0) & (self.households.head[his] == husbands)
        hers_head = (hers >= 0) & (self.households.head[hers] == wives)
        draw = rng.random(count)
        to_his = (his >= 0) & (kind[his] == HOME) & (his_head | (draw < p.groom_household_share))
        to_hers = ~to_his & (hers >= 0) & (kind[hers] == HOME)
        to_hers &= (hers_head & (draw > 0.6)) | (draw > 1 - p.bride_household_share)
        fresh = ~to_his & ~to_hers
        target = np.where(to_his, his, hers)
        target[fresh] = self._new_households(int(fresh.sum()))
        movers = np.concatenate([wives[to_his | fresh], husbands[to_hers | fresh]])
        position = np.concatenate([np.flatnonzero(to_his | fresh), np.flatnonzero(to_hers | fresh)])
        self._move_with_children(movers, target[position], days[position])
        self._set_heads(target[fresh], husbands[fresh], days[fresh])

    def _move_with_children(
        self, movers: np.ndarray, targets: np.ndarray, days: np.ndarray, why: int = MOVED_WITHIN
    ) -> None:
        children, position = self.children_with(movers)
        children, first = np.unique(children, return_index=True)
        position = position[first]
        persons = np.concatenate([movers, children])
        households = np.concatenate([targets, targets[position]])
        when = np.concatenate([days, days[position]])
        old = self.people.household[persons].astype(np.int64)
        self._settle(persons, households, when, why)
        self._check_heads(np.concatenate([old, households[:0]]), when)

    def _cohabit(self, numbers: np.ndarray, days: np.ndarray) -> None:
        pairs = self._planned_cohabiting[numbers]
        people = self.people
        ok = np.ones(len(pairs), dtype=bool)
        for column in (0, 1):
            person = pairs[:, column]
            ok &= (people.household[person] >= 0) & (people.spouse[person] < 0)
            ok &= self.stays.start[people.stay[person]] < days
        wives, husbands, days = pairs[ok, 0], pairs[ok, 1], days[ok]
        self._live_together(husbands, wives, days)
        self._join(husbands, wives, days, UNREGISTERED, 0)
        home = people.household[husbands]
        self.versions.append(len(home), household=home, day=days)

    def _convert(self, unions: np.ndarray, days: np.ndarray) -> None:
        chosen = (self.unions.end[unions] == OPEN) & (self.unions.start[unions] < days)
        unions, days = unions[chosen], days[chosen]
        husbands, wives = self.unions.husband[unions].astype(np.int64), self.unions.wife[unions].astype(np.int64)
        here = (self.people.household[husbands] >= 0) & (
            self.people.household[husbands] == self.people.household[wives]
        )
        husbands, wives, days, unions = husbands[here], wives[here], days[here], unions[here]
        violent = self.unions.violent[unions]
        self._end_unions(unions, days, CONVERTED)
        made = self._join(husbands, wives, days, MARRIED, 1)
        self.unions.violent[made] = violent
        self._take_names(husbands, wives, days)

    def _part(self, unions: np.ndarray, days: np.ndarray) -> None:
        """Divorces and separations: who goes, with which children, where to, and under which name."""
        people, rng, p = self.people, self.rng, self.parameters
        unions, first = np.unique(unions, return_index=True)
        days = days[first]
        husband, wife = self.unions.husband[unions].astype(np.int64), self.unions.wife[unions].astype(np.int64)
        together = (people.household[husband] >= 0) & (people.household[husband] == people.household[wife])
        together &= (self.unions.end[unions] == OPEN) & (people.union[husband] == unions)
        together &= (self.stays.start[people.stay[husband]] < days) & (self.stays.start[people.stay[wife]] < days)
        unions, days, husband, wife = unions[together], days[together], husband[together], wife[together]
        if not len(unions):
            return
        count = len(unions)
        household = people.household[wife].astype(np.int64)
        head = self.households.head[household]
        wife_home = (head == people.mother[wife]) | (head == people.father[wife])
        wife_goes = ~wife_home & (rng.random(count) < 0.86)
        mothers = rng.random(count) < p.mother_custody
        violent = self.unions.violent[unions] == 1
        leaver = np.where(wife_goes, wife, husband)
        takes_children = np.where(wife_goes, mothers, ~mothers)
        children, position = self.children_with(leaver[takes_children])
        position = np.flatnonzero(takes_children)[position]
        children, first = np.unique(children, return_index=True)
        position = position[first]
        # Whose children they are decides too: a stepchild stays with its own parent.
        own = (people.mother[children] == leaver[position]) | (people.father[children] == leaver[position])
        children, position = children[own], position[own]
        stepchildren, step_position = self.children_with(leaver[~takes_children])
        step_position = np.flatnonzero(~takes_children)[step_position]
        other = np.where(wife_goes, husband, wife)[step_position]
        step = (people.mother[stepchildren] != other) & (people.father[stepchildren] != other)
        children = np.concatenate([children, stepchildren[step]])
        position = np.concatenate([position, step_position[step]])
        children, first = np.unique(children, return_index=True)
        position = position[first]

        draw = rng.random(count)
        parental = np.full(count, -1, dtype=np.int64)
        for parent in (people.father, people.mother):
            who = parent[leaver]
            parent_household = np.where(who >= 0, people.household[who], -1)
            fits = (
                (parent_household >= 0)
                & (self.households.kind[parent_household] == HOME)
                & (parent_household != household)
            )
            parental = np.where(fits, parent_household, parental)
        outside = draw > np.where(violent, 0.66, 0.8)
        parental = np.where((draw < 0.42) & ~outside, parental, -1)
        fresh = ~outside & (parental < 0)
        target = parental.copy()
        target[fresh] = self._new_households(int(fresh.sum()))
        persons = np.concatenate([leaver, children])
        where = np.concatenate([np.arange(count), position])
        inside = ~outside[where]
        old = people.household[persons].astype(np.int64)
        self._settle(persons[inside], target[where[inside]], days[where[inside]], MOVED_WITHIN)
        self._set_heads(target[fresh], leaver[fresh], days[fresh])
        self._check_heads(old[inside], days[where[inside]])
        going = persons[~inside]
        self._depart(going, days[where[~inside]])

        # Some flee and stay married on paper; all others divorce or, if never married, separate.
        fled = violent & wife_goes & (rng.random(count) < 0.3) & (self.unions.kind[unions] == MARRIED)
        self._protect(wife, husband, violent & ~outside, children, position, days)
        ending = ~fled
        married = self.unions.kind[unions] == MARRIED
        for kind, which in ((DIVORCED, ending & married), (SEPARATED, ending & ~married)):
            self._end_unions(unions[which], days[which], kind)
        self._after_divorce(husband, wife, ending & married, days)

    def _protect(
        self,
        wife: np.ndarray,
        husband: np.ndarray,
        violent: np.ndarray,
        children: np.ndarray,
        position: np.ndarray,
        days: np.ndarray,
    ) -> None:
        rng, people = self.rng, self.people
        granted = violent & (rng.random(len(wife)) < self.parameters.dv_support_rate)
        granted &= people.household[wife] >= 0
        start = days + rng.integers(3, 45, len(wife))
        years = 1 + rng.geometric(0.35, len(wife))
        with_her = granted[position] & (people.household[children] == people.household[wife[position]])
        persons = np.concatenate([wife[granted], children[with_her]])
        where = np.concatenate([np.flatnonzero(granted), position[with_her]])
        begun = start[where] <= self.as_of
        persons, where = persons[begun], where[begun]
        self.protections.append(len(persons), person=persons, start=start[where], end=start[where] + 365 * years[where])

    def _after_divorce(self, husband: np.ndarray, wife: np.ndarray, which: np.ndarray, days: np.ndarray) -> None:
        people, rng, p = self.people, self.rng, self.parameters
        husband, wife, days = husband[which], wife[which], days[which]
        for parents, adopters in ((wife, husband), (husband, wife)):
            children, position = self.children_with(parents)
            ended = (people.adopter[children] == adopters[position]) & (people.adopted_to[children] == OPEN)
            ended &= rng.random(len(children)) < p.dissolution_after_divorce
            children, position = children[ended], position[ended]
            people.adopted_to[children] = days[position]
            is_father = people.sex[adopters[position]] == MALE
            self.filings.append(
                len(children),
                child=children,
                kind=DISSOLUTION,
                day=days[position],
                father=np.where(is_father, adopters[position], -1),
                mother=np.where(is_father, -1, adopters[position]),
            )
        changed = people.surname[wife] != people.birth_surname[wife]
        back = changed & (rng.random(len(wife)) < p.maiden_name_return)
        self._rename(wife[back], people.birth_surname[wife[back]], days[back])
        children, position = self.children_with(wife[back])
        follow = rng.random(len(children)) < 0.75
        later = days[back][position] + rng.integers(7, 90, len(children))
        follow &= later <= self.as_of
        self._rename(children[follow], people.surname[wife[back]][position[follow]], later[follow])

    def _return(self, persons: np.ndarray, days: np.ndarray) -> None:
        """People who left come back, with those who left with them and with the families they made elsewhere."""
        people, rng, p = self.people, self.rng, self.parameters
        persons, first = np.unique(persons, return_index=True)
        days = days[first]
        chosen = people.status[persons] == MOVED_OUT
        persons, days = persons[chosen], days[chosen]
        _, first = np.unique(people.last_household[persons], return_index=True)
        persons, days = persons[first], days[first]
        # Spouses and minors who left the same household on the same day come back with them.
        spouse = people.spouse[persons].astype(np.int64)
        with_spouse = (
            (spouse >= 0) & (people.status[spouse] == MOVED_OUT) & (people.ended[spouse] == people.ended[persons])
        )
        persons_alone = np.flatnonzero((spouse < 0) & ((days - people.birth[persons]) / YEAR > 24))
        starting = persons_alone[rng.random(len(persons_alone)) < 0.4]
        partners = self._partners_from_outside(persons[starting], days[starting])
        since = days[starting] - rng.integers(200, 2500, len(starting))
        both = np.stack([persons[starting], partners])
        is_male = people.sex[persons[starting]] == MALE
        husbands, wives = np.where(is_male, both[0], both[1]), np.where(is_male, both[1], both[0])
        if len(starting):
            self._join(husbands, wives, since, MARRIED, 0)
            married = people.foreign[wives] == 0
            people.surname[wives[married]] = people.surname[husbands[married]]
        brought, brought_position = self._children_from_outside(wives, husbands, days[starting], 0.9)
        brought_position = starting[brought_position]
        away = (
            np.flatnonzero((people.status == MOVED_OUT) & (people.birth > days.min(initial=0) - 20 * YEAR))
            if len(days)
            else spouse[:0]
        )
        mark = np.full(len(people) + 1, -1, dtype=np.int32)
        mark[persons] = np.arange(len(persons))
        parent = np.where(mark[people.mother[away]] >= 0, mark[people.mother[away]], mark[people.father[away]])
        own = (parent >= 0) & (mark[away] < 0)
        minors, minor_position = away[own], parent[own]
        same = people.ended[minors] == people.ended[persons[minor_position]]
        same &= (days[minor_position] - people.birth[minors]) / YEAR < 19
        minors, minor_position = minors[same], minor_position[same]

        parental = np.full(len(persons), -1, dtype=np.int64)
        for parent_of in (people.father, people.mother):
            who = parent_of[persons]
            parent_household = np.where(who >= 0, people.household[who], -1)
            fits = (parent_household >= 0) & (self.households.kind[parent_household] == HOME)
            parental = np.where(fits, parent_household, parental)
        parental = np.where(rng.random(len(persons)) < 0.65, parental, -1)
        target = parental.copy()
        fresh = parental < 0
        target[fresh] = self._new_households(int(fresh.sum()))
        everyone = np.concatenate([persons, spouse[with_spouse], partners, brought, minors])
        where = np.concatenate(
            [np.arange(len(persons)), np.flatnonzero(with_spouse), starting, brought_position, minor_position]
        ).astype(np.int64)
        everyone, first = np.unique(everyone, return_index=True)
        where = where[first]
        ready = people.household[everyone] < 0
        everyone, where = everyone[ready], where[ready]
        known = (people.registered[everyone] < OPEN) & (people.second_from[everyone] == OPEN)
        changed = known & (rng.random(len(persons))[where] < p.new_number_on_return)
        people.second_from[everyone[changed]] = days[where[changed]]
        self._settle(everyone, target[where], days[where], MOVED_WITHIN)
        self._set_heads(target[fresh], persons[fresh], days[fresh])
        self._check_heads(target, days)

    def _arrive(self, numbers: np.ndarray, days: np.ndarray) -> None:
        """Strangers: single people, couples, families and lone mothers."""
        people, rng, p = self.people, self.rng, self.parameters
        count = len(numbers)
        kind = rng.choice(4, count, p=[0.56, 0.16, 0.2, 0.08])
        age = np.where(kind == 0, rng.gamma(4, 4.5, count) + 18.5, rng.gamma(6, 2.3, count) + 21)
        age = np.minimum(age, 75)
        sex = np.where(kind == 3, FEMALE, np.where(kind == 0, rng.integers(0, 2, count), MALE)).astype(np.int8)
        heads = self._new_people(count, days, (days - age * YEAR).astype(np.int64), sex)
        foreign = heads[(kind == 0) & (rng.random(count) < p.foreign_share)]
        self._make_foreign(foreign)
        coupled = np.flatnonzero((kind == 1) | (kind == 2))
        partners = self._partners_from_outside(heads[coupled], days[coupled])
        since = days[coupled] - rng.integers(100, 3000, len(coupled))
        if len(coupled):
            self._join(heads[coupled], partners, since, MARRIED, 0)
            native = people.foreign[partners] == 0
            people.surname[partners[native]] = people.surname[heads[coupled][native]]
        lone = np.flatnonzero(kind == 3)
        with_children = kind[coupled] == 2
        mothers = np.concatenate([partners[with_children], heads[lone]])
        fathers = np.concatenate([heads[coupled[with_children]], np.full(len(lone), -1)])
        where = np.concatenate([coupled[with_children], lone])
        children, position = self._children_from_outside(mothers, fathers, days[where], 1.7)
        households = self._new_households(count)
        persons = np.concatenate([heads, partners, children])
        of = np.concatenate([np.arange(count), coupled, where[position]]).astype(np.int64)
        self._settle(persons, households[of], days[of], MOVED_WITHIN)
        self._set_heads(households, heads, days)

    def _own_home(self, persons: np.ndarray, days: np.ndarray) -> None:
        """Grown children leave their parents' home for one of their own, with spouse and children."""
        persons, days = self._present(persons, days)
        people = self.people
        household = people.household[persons]
        chosen = (self.households.head[household] != persons) & (self.households.kind[household] == HOME)
        spouse = people.spouse[persons].astype(np.int64)
        together = (spouse >= 0) & (people.household[spouse] == household)
        chosen &= ~(together & (self.households.head[household] == spouse))
        chosen &= ~(together & np.isin(spouse, persons) & (spouse < persons))
        chosen &= ~((spouse >= 0) & ~together)
        chosen &= ~together | (self.stays.start[people.stay[spouse]] < days)
        persons, days, spouse, together = persons[chosen], days[chosen], spouse[chosen], together[chosen]
        targets = self._new_households(len(persons))
        movers = np.concatenate([persons, spouse[together]])
        where = np.concatenate([np.arange(len(persons)), np.flatnonzero(together)])
        self._move_with_children(movers, targets[where], days[where])
        head = np.where(together & (people.sex[persons] == FEMALE), spouse, persons)
        self._set_heads(targets, head, days)

    def _relocate(self, households: np.ndarray, days: np.ndarray) -> None:
        """Whole households move within the city and keep their number."""
        households, first = np.unique(households, return_index=True)
        days = days[first]
        rng, table = self.rng, self.households
        self.addresses.append(
            len(households),
            household=households,
            day=days,
            town=table.town[households],
            number=table.number[households],
            branch=table.branch[households],
        )
        municipality = np.where(
            rng.random(len(households)) < 0.55,
            table.municipality[households],
            rng.choice(len(WEIGHTS), len(households), p=WEIGHTS),
        )
        table.municipality[households] = municipality
        table.town[households] = draw_towns(rng, municipality)
        table.number[households] = rng.integers(1, 2400, len(households))
        table.branch[households] = np.where(rng.random(len(households)) < 0.45, rng.integers(1, 25, len(households)), 0)

    def _enter_care(self, persons: np.ndarray, days: np.ndarray) -> None:
        persons, days = self._present(persons, days)
        if not len(persons):
            return
        capacity = max(2, round(0.03 * len(self.active) / self.parameters.institution_size))
        if len(self.care_homes) < capacity:
            more = self._new_households(capacity - len(self.care_homes), CARE_HOME)
            self.care_homes = np.concatenate([self.care_homes, more])
        old = self.people.household[persons].astype(np.int64)
        chosen = self.households.kind[old] == HOME
        persons, days, old = persons[chosen], days[chosen], old[chosen]
        homes = self.care_homes[self.rng.integers(0, len(self.care_homes), len(persons))]
        self._settle(persons, homes, days, MOVED_WITHIN)
        self._check_heads(np.concatenate([old, homes]), np.concatenate([days, days]))

    def _enter_childrens_home(self, persons: np.ndarray, days: np.ndarray) -> None:
        persons, days = self._present(persons, days)
        if self.childrens_home < 0:
            self.childrens_home = int(self._new_households(1, CHILDRENS_HOME)[0])
        old = self.people.household[persons].astype(np.int64)
        home = np.full(len(persons), self.childrens_home)
        self._settle(persons, home, days, MOVED_WITHIN)
        self._check_heads(np.concatenate([old, home]), np.concatenate([days, days]))

    def _births(self, year: int, first: int, length: int) -> None:
        people, rng, p = self.people, self.rng, self.parameters
        before = p.as_of.year + (p.as_of.month - 1) / 12 - year
        number = rng.poisson(_series(BIRTHS, before) * p.scale * length / YEAR / (1 + p.twin_rate))
        weights, women = self.fertility(first)
        # A day within the step must lie after everything that happened in the household in this step.
        stay_start = self.stays.start[people.stay[women]]
        weights = np.where(stay_start < first, weights, 0)
        mothers = women[_weighted(rng, weights, min(number, int((weights > 0).sum())))]
        if not len(mothers):
            return
        days = first + rng.integers(0, length, len(mothers))
        fathers, known = self.fathers_for(mothers, days)
        twins = np.flatnonzero(rng.random(len(mothers)) < p.twin_rate)
        position = np.concatenate([np.arange(len(mothers)), twins])
        self.bear(mothers[position], fathers[position], known[position], days[position], len(mothers), twins)

    def fertility(self, on: int) -> tuple[np.ndarray, np.ndarray]:
        """Relative chances of a birth of the women who live in the city, and these women."""
        people = self.people
        women = self.active[people.sex[self.active] == FEMALE]
        age = (on - people.birth[women]) / YEAR
        fit = (age >= 15.5) & (age < 46) & (people.household[women] >= 0)
        fit &= people.last_birth[women] < on - 420
        women, age = women[fit], age[fit]
        curve = np.interp(age, [15.5, 18, 21, 25, 29, 33, 37, 41, 46], [0.05, 0.3, 0.7, 1.0, 1.1, 0.85, 0.4, 0.1, 0.0])
        union = people.union[women]
        married = (union >= 0) & (self.unions.kind[union] == MARRIED)
        here = people.household[people.spouse[women]] == people.household[women]
        strain = np.exp(0.6 * people.adversity[women])
        share = self.parameters.unmarried_birth_share
        alone = share * 0.55 * strain * np.where(age < 22, 2.2, 1.0)
        weights = curve * np.where(married, np.where(here, 1.0, 0.05), np.where(union >= 0, 0.45, alone))
        parity = np.bincount(people.mother[self.minors][people.mother[self.minors] >= 0], minlength=len(people))
        return weights * np.array([1.0, 1.0, 0.55, 0.25, 0.12])[np.minimum(parity[women], 4)], women

    def fathers_for(self, mothers: np.ndarray, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The father of each mother's child and how he is known (FILED, RECOGNISED, UNNAMED)."""
        people, rng = self.people, self.rng
        union = people.union[mothers]
        spouse = people.spouse[mothers].astype(np.int64)
        married = (union >= 0) & (self.unions.kind[union] == MARRIED)
        men = self.active[(people.sex[self.active] == MALE) & (people.spouse[self.active] < 0)]
        men = men[(people.household[men] >= 0)]
        age = (days[0] - people.birth[men]) / YEAR if len(men) else np.empty(0)
        men = men[(age > 18) & (age < 45)]
        father = spouse.copy()
        unknown = spouse < 0
        if len(men):
            drawn = men[rng.integers(0, len(men), len(mothers))]
            related = (people.mother[drawn] == people.mother[mothers]) & (people.mother[drawn] >= 0)
            related |= people.household[drawn] == people.household[mothers]
            related |= (people.father[drawn] == people.father[mothers]) & (people.father[drawn] >= 0)
            related |= people.father[mothers] == drawn
            father[unknown & ~related] = drawn[unknown & ~related]
        recognised = rng.random(len(mothers)) < np.where(unknown, self.parameters.recognition_share, 0.85)
        known = np.where(married, FILED, np.where((father >= 0) & recognised, RECOGNISED, UNNAMED))
        return father, np.where(father < 0, 0, known).astype(np.int8)

    def bear(
        self,
        mothers: np.ndarray,
        fathers: np.ndarray,
        known: np.ndarray,
        days: np.ndarray,
        singles: int,
        twins: np.ndarray,
    ) -> np.ndarray:
        """Children come into their mothers' households; ``twins`` are positions among the first ``singles``."""
        people, rng = self.people, self.rng
        count = len(mothers)
        sex = (rng.random(count) < 0.487).astype(np.int8)
        identical = rng.random(len(twins)) < 0.4
        sex[singles:] = np.where(identical, sex[twins], sex[singles:])
        family = (known == FILED) & (people.foreign[np.maximum(fathers, 0)] == 0)
        children = self._new_people(
            count,
            days,
            days,
            sex,
            mother=mothers,
            father=fathers,
            father_known=known,
            native=1,
            surname=np.where(family, people.surname[np.maximum(fathers, 0)], people.surname[mothers]),
            adversity=self._inherit(mothers, fathers),
        )
        people.twin[children[singles:]] = children[twins]
        people.twin[children[twins]] = children[singles:]
        same = people.given[children[singles:]] == people.given[children[twins]]
        people.given[children[singles:][same]] += 1
        people.last_birth[mothers] = days
        self._settle(children, people.household[mothers].astype(np.int64), days, BORN)
        filed_on = np.minimum(days + rng.integers(0, 14, count), self.as_of)
        self.filings.append(
            count,
            child=children,
            kind=BIRTH,
            day=filed_on,
            mother=mothers,
            father=np.where(known == FILED, fathers, -1),
        )
        recognised = np.flatnonzero(known == RECOGNISED)
        later = days[recognised] + rng.geometric(1 / 120, len(recognised))
        in_time = later <= self.as_of
        recognised, later = recognised[in_time], later[in_time]
        self.filings.append(
            len(recognised), child=children[recognised], kind=RECOGNITION, day=later, father=fathers[recognised]
        )
        late = np.flatnonzero(known == RECOGNISED)[~in_time]
        people.father_known[children[late]] = UNNAMED
        return children

    # --- beginning and end --------------------

    def _create_first_people(self, year: int) -> None:
        """The first people: couples with children and some grandmothers, linked as far as they live together."""
        rng, people, p = self.rng, self.people, self.parameters
        start = day(year)
        before = p.as_of.year - year
        self.year_start = start
        households = max(round(_series(POPULATION, before) * p.scale / 4.9), 20)
        days = np.full(households, start, dtype=np.int64)
        age = rng.uniform(22, 62, households)
        husbands = self._new_people(
            households, days, (start - age * YEAR).astype(np.int64), np.zeros(households, dtype=np.int8), native=1
        )
        wife_age = np.maximum(age - 3 + rng.normal(0, 2, households), 18.5)
        wives = self._new_people(
            households, days, (start - wife_age * YEAR).astype(np.int64), np.ones(households, dtype=np.int8), native=1
        )
        people.surname[wives] = people.surname[husbands]
        self._join(husbands, wives, days - 365, MARRIED, 0)
        children, position = self._children_from_outside(wives, husbands, days, 3.0)
        home = self._new_households(households)
        with_mother = np.flatnonzero((age < 48) & (rng.random(households) < 0.55))
        grandmothers = self._new_people(
            len(with_mother),
            days[with_mother],
            (people.birth[husbands[with_mother]] - rng.uniform(19, 32, len(with_mother)) * YEAR).astype(np.int64),
            np.ones(len(with_mother), dtype=np.int8),
            surname=people.surname[husbands[with_mother]],
            native=1,
        )
        people.mother[husbands[with_mother]] = grandmothers
        persons = np.concatenate([husbands, wives, children, grandmothers])
        of = np.concatenate([np.arange(households), np.arange(households), position, with_mother])
        self._settle(persons, home[of], days[of], ARRIVED)
        self._set_heads(home, husbands, days)

    def _settle_count(self) -> None:
        """Reach the number of residents asked for: the last days see a few more moves in or out."""
        rng, people = self.rng, self.people
        self.active = np.flatnonzero(people.status == RESIDENT)
        self.year_start = day(self.parameters.as_of.year)
        self.minors = self.active[people.birth[self.active] > self.as_of - 19 * YEAR]
        surplus = len(self.active) - self.parameters.residents
        if surplus > 0:
            age = (self.as_of - people.birth[self.active]) / YEAR
            settled = self.stays.start[people.stay[self.active]] < self.as_of - 60
            home = self.households.kind[people.household[self.active]] == HOME
            free = settled & home & (people.spouse[self.active] < 0) & (age >= 18)
            parents = np.zeros(len(people) + 1, dtype=bool)
            parents[people.mother[self.minors]] = parents[people.father[self.minors]] = True
            free &= ~parents[self.active]
            candidates = self.active[free]
            weight = np.exp(-np.maximum(age[free] - 18, 0) / 12)
            leaving = candidates[_weighted(rng, weight, surplus)]
            self._depart(leaving, self.as_of - rng.integers(1, 20, surplus))
        elif surplus < 0:
            count = -surplus
            days = self.as_of - rng.integers(1, 20, count)
            birth = (days - (rng.gamma(4, 4.5, count) + 18.5) * YEAR).astype(np.int64)
            newcomers = self._new_people(count, days, birth, rng.integers(0, 2, count).astype(np.int8))
            homes = self._new_households(count)
            self._settle(newcomers, homes, days, ARRIVED)
            self._set_heads(homes, newcomers, days)
        self.active = np.flatnonzero(people.status == RESIDENT)


def _weighted(rng: np.random.Generator, weights: np.ndarray, count: int) -> np.ndarray:
    """Positions drawn without replacement with chances in proportion to their weights."""
    positive = np.flatnonzero(weights > 0)
    count = min(count, len(positive))
    if count <= 0:
        return positive[:0]
    keys = np.log(weights[positive]) + rng.gumbel(size=len(positive))
    return positive[np.argpartition(-keys, count - 1)[:count]]


def shape(population: Population) -> dict[str, float]:
    """Figures by which the city can be compared with a real one."""
    people = population.people
    residents = np.flatnonzero(people.status == RESIDENT)
    age = (population.as_of - people.birth[residents]) / YEAR
    return {
        "residents": len(residents),
        "under_18": int((age < 18).sum()),
        "share_65": round(float((age >= 65).mean()), 3),
        "households": len(np.unique(people.household[residents])),
    }
