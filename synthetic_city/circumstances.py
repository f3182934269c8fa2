"""What children live in, and what becomes of it: latent factors, situations year by year, and cases.

Years are counted back from the as-of date, and the situation at the beginning of a year decides the chances of the
year: a model that freezes its features twelve months back finds what was put in here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from synthetic_city.calendar_days import OPEN, add_years, day
from synthetic_city.history import History
from synthetic_city.population import FEMALE, YEAR, Population
from synthetic_city.tables import Table

DIFFICULTIES = ("虐待", "貧困", "不登校", "ヤングケアラー", "産後うつ")
ABUSE_KINDS = ("", "身体的虐待", "心理的虐待", "ネグレクト", "性的虐待")
PHYSICAL, PSYCHOLOGICAL, NEGLECT, SEXUAL = 1, 2, 3, 4

FACTORS = {
    "poverty": "A parent in the household in lasting economic hardship",
    "parental_illness": "A parent with a mental illness",
    "violence": "The mother's partner is violent",
    "neglect": "Little care for the child's daily needs",
    "single_parent": "The child lives with one parent who has no partner in the household",
    "step_partner": "The mother's or father's partner in the household is not the child's parent",
    "young_mother": "The mother was under 20 at the birth",
    "many_children": "Four or more minors in the household",
    "child_disability": "The child has a disability or a developmental difficulty",
    "isolation": "The parents have no kin in the city and few contacts",
    "care_burden": "A member of the household needs care",
    "parent_case": "A parent was the subject of a case as a child (vertical transmission)",
    "kin_case": "A sibling, half-sibling or cousin had a case in the last three years (horizontal transmission)",
    "previous_case": "The child had a case before",
}
OBSERVABLE_IN = {
    "poverty": "public_assistance|school_aid|livelihood_consultations|social_council_services|"
    "national_health_insurance|"
    "pregnancy_notifications",
    "parental_illness": "disability_certificates|pregnancy_notifications|newborn_visits",
    "violence": "dv_consultations|resident_register|child_consultations",
    "neglect": "nursery_attendance|infant_checkups|vaccinations|school_checkups|school_attendance|newborn_visits",
    "single_parent": "child_rearing_allowance|marriages|household_history|parentage",
    "step_partner": "household_history|marriages|parentage",
    "young_mother": "resident_register|parentage|pregnancy_notifications",
    "many_children": "household_history|resident_register",
    "child_disability": "disability_certificates|infant_checkups",
    "isolation": "pregnancy_notifications|household_history",
    "care_burden": "care_certifications|disability_certificates",
    "parent_case": "council_cases|guidance_centre_cases|child_consultations|parentage|household_history",
    "kin_case": "council_cases|guidance_centre_cases|child_consultations|parentage|household_history|marriages",
    "previous_case": "council_cases|guidance_centre_cases",
}

# Log-odds of the outcome in the following twelve months. Orders of magnitude after cohort studies of child protection
# (a parent's own case, violence and earlier cases weigh most; poverty and lone parenthood about half as much).
EFFECTS: dict[str, dict[str, float]] = {
    "case": {
        "parent_case": 1.1,
        "kin_case": 1.2,
        "previous_case": 0.9,
        "violence": 1.3,
        "neglect": 1.3,
        "parental_illness": 0.9,
        "poverty": 0.8,
        "step_partner": 0.8,
        "young_mother": 0.7,
        "single_parent": 0.5,
        "child_disability": 0.5,
        "many_children": 0.5,
        "isolation": 0.4,
    },
    "truancy": {
        "neglect": 0.8,
        "child_disability": 0.8,
        "parental_illness": 0.6,
        "violence": 0.6,
        "poverty": 0.4,
        "single_parent": 0.4,
        "previous_case": 0.5,
        "kin_case": 0.5,
    },
    "young_carer": {
        "care_burden": 1.6,
        "parental_illness": 1.1,
        "single_parent": 0.6,
        "many_children": 0.6,
        "poverty": 0.4,
    },
    "postpartum_depression": {
        "parental_illness": 1.5,
        "isolation": 0.8,
        "violence": 0.9,
        "young_mother": 0.5,
        "poverty": 0.4,
        "parent_case": 0.5,
    },
    "poverty": {
        "poverty": 2.4,
        "single_parent": 1.0,
        "parental_illness": 0.8,
        "parent_case": 0.4,
        "isolation": 0.3,
    },
}


@dataclass
class Situation:
    """The factors of some children on a day, and with whom they live."""

    children: np.ndarray
    on: int
    factors: dict[str, np.ndarray]
    household: np.ndarray
    mother_here: np.ndarray
    father_here: np.ndarray

    def score(self, outcome: str) -> np.ndarray:
        """The log-odds of an outcome that the factors add."""
        return sum(effect * self.factors[factor] for factor, effect in EFFECTS[outcome].items())


class Circumstances:
    """Latent traits of everybody, the situation of every child in every year, and the cases."""

    def __init__(
        self, population: Population, history: History, progress: Callable[[str, float], None] | None = None
    ) -> None:
        self.progress = progress
        self.population, self.history = population, history
        self.people = people = population.people
        self.parameters = population.parameters
        self.as_of = population.as_of
        self.rng = rng = np.random.default_rng([self.parameters.seed, 2])
        count = len(people)

        def trait(share: float) -> np.ndarray:
            noise = rng.normal(0, np.sqrt(1 - share**2), count)
            return (share * people.adversity + noise).astype(np.float32)

        self.hardship, self.illness = trait(0.55), trait(0.45)
        self.loneliness, self.carelessness = trait(0.35), trait(0.55)
        self.disabled_child = rng.random(count) < np.where(people.sex == FEMALE, 0.045, 0.075)
        # Care needs come with age and stay; the day on which they begin.
        mean = np.where(people.sex == FEMALE, 85.5, 84.0)
        age_of_need = np.where(rng.random(count) < 0.03, rng.uniform(40, 80, count), rng.normal(mean, 7.5))
        self.care_from = (people.birth + age_of_need * YEAR).astype(np.int64)
        integer = (np.int32, -1)
        self.cases = Table(
            {
                "child": integer,
                "start": (np.int32, 0),
                "end": (np.int32, OPEN),
                "difficulty": (np.int8, 0),
                "abuse": (np.int8, 0),
                "listed": (np.int8, 1),
                "period": (np.int16, 0),
            }
        )
        self.guidance = Table(
            {
                "child": integer,
                "day": (np.int32, 0),
                "abuse": (np.int8, 0),
                "held": (np.int32, OPEN),
                "held_to": (np.int32, OPEN),
                "placed": (np.int8, 0),
            }
        )
        self.consultations = Table(
            {
                "child": integer,
                "day": (np.int32, 0),
                "difficulty": (np.int8, 0),
                "abuse": (np.int8, 0),
                "about_abuse": (np.int8, 0),
            }
        )
        self.last_case = np.full(count, -OPEN, dtype=np.int64)
        self.case_in_childhood = np.zeros(count, dtype=bool)
        self.open_until = np.full(count, -OPEN, dtype=np.int64)
        self.situations: dict[int, Situation] = {}
        self.truants: dict[int, np.ndarray] = {}
        self.carers: dict[int, np.ndarray] = {}
        self.in_want: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        """Years before → children whose household came to want in the year, and the day on which it asked for help."""
        self._run()

    # --- situations --------------------

    def situation(self, children: np.ndarray, on: np.ndarray | int) -> Situation:
        """The factors of children on a day (or on one day each)."""
        people, history = self.people, self.history
        days = np.broadcast_to(np.asarray(on, dtype=np.int64), children.shape)
        household = history.household_at(children, days)
        mother, father = people.mother[children].astype(np.int64), people.father[children].astype(np.int64)
        mother_here = (mother >= 0) & (history.household_at(mother, days) == household) & (household >= 0)
        father_here = (father >= 0) & (history.household_at(father, days) == household) & (household >= 0)
        carer = np.where(mother_here, mother, np.where(father_here, father, -1))
        partner, union = history.partner_at(carer, days)
        partner_here = (partner >= 0) & (history.household_at(partner, days) == household)
        is_parent = (partner == mother) | (partner == father)
        two = mother_here & father_here
        violent = (union >= 0) & (self.population.unions.violent[union] == 1) & partner_here

        def parental(trait: np.ndarray, level: float) -> np.ndarray:
            return (mother_here & (trait[mother] > level)) | (father_here & (trait[father] > level + 0.35))

        minors = household >= 0
        size = (
            np.bincount(household[minors], minlength=len(self.population.households)) if minors.any() else np.zeros(1)
        )
        recent = self._kin_with_recent_case(children, days)
        in_home = household >= 0
        return Situation(
            children,
            int(days[0]) if len(days) else 0,
            {
                "poverty": parental(self.hardship, 1.15),
                "parental_illness": parental(self.illness, 1.45),
                "violence": violent,
                "neglect": parental(self.carelessness, 1.25),
                "single_parent": (carer >= 0) & ~partner_here & ~two,
                "step_partner": (carer >= 0) & partner_here & ~is_parent,
                "young_mother": (mother >= 0) & (people.birth[children] - people.birth[mother] < 20 * YEAR),
                "many_children": in_home & (size[household] >= 4),
                "child_disability": self.disabled_child[children],
                "isolation": parental(self.loneliness, 1.0) & (people.native[np.maximum(mother, 0)] == 0),
                "care_burden": self._care_burden(children, household, days),
                "parent_case": ((mother >= 0) & self.case_in_childhood[mother])
                | ((father >= 0) & self.case_in_childhood[father]),
                "kin_case": recent,
                "previous_case": self.last_case[children] > -OPEN,
            },
            household,
            mother_here,
            father_here,
        )

    def _care_burden(self, children: np.ndarray, household: np.ndarray, days: np.ndarray) -> np.ndarray:
        people = self.people
        burden = np.zeros(len(children), dtype=bool)
        for parent in (people.mother[children], people.father[children]):
            known = parent >= 0
            for kin in (parent, people.mother[parent], people.father[parent]):
                here = known & (kin >= 0)
                here &= self.history.household_at(np.where(here, kin, -1), days) == household
                burden |= here & (household >= 0) & (self.care_from[kin] <= days)
        return burden

    def _kin_with_recent_case(self, children: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Siblings and half-siblings through a parent, cousins through a grandparent, with a case in three years."""
        people = self.people
        count = len(people)
        limit = int(days.min(initial=self.as_of)) - round(3 * YEAR)
        subjects = np.flatnonzero(self.last_case > limit)
        has_kin = np.zeros(len(children), dtype=bool)
        if not len(subjects):
            return has_kin
        own = np.zeros(count + 1, dtype=np.int32)
        own[subjects] = 1
        for mine in (people.mother, people.father):
            tally = np.zeros(count + 1, dtype=np.int32)
            np.add.at(tally, mine[subjects], 1)
            tally[-1] = 0
            has_kin |= (mine[children] >= 0) & (tally[mine[children]] - own[children] > 0)
        for line in (people.mother, people.father):
            tally = np.zeros(count + 1, dtype=np.int32)
            for parent in (people.mother, people.father):
                grand = line[parent[subjects]]
                np.add.at(tally, np.where(parent[subjects] >= 0, grand, -1), 1)
            tally[-1] = 0
            for parent in (people.mother, people.father):
                grand = np.where(parent[children] >= 0, line[parent[children]], -1)
                has_kin |= (grand >= 0) & (tally[grand] - own[children] > 0)
        return has_kin

    # --- the years --------------------

    def _run(self) -> None:
        people, rng, p = self.people, self.rng, self.parameters
        years = p.as_of.year - p.history_from_year
        anchor = np.array([self.as_of])
        stay_people = np.unique(self.population.stays.person)
        for before in range(years, 0, -1):
            start, end = (int(add_years(anchor, -before + step)[0]) for step in (0, 1))
            births = people.birth[stay_people]
            children = stay_people[(births < end - 30) & (births > start - 18 * YEAR)]
            on = np.maximum(people.birth[children] + 1, start)
            here = self.history.household_at(children, on) >= 0
            children, on = children[here].astype(np.int64), on[here]
            situation = self.situation(children, on)
            situation.on = start
            period = before
            if before <= 12:
                self.situations[before] = situation
            age = (end - people.birth[children]) / YEAR
            share = np.clip((end - on) / 365, 0, 1)
            logit = situation.score("case") - 0.35 * (age > 15) + 0.15 * (age < 3)
            incidence = p.case_incidence * np.interp(before, [0, 15, 25, 46], [1.05, 0.95, 0.8, 0.7])
            chance = calibrated(logit, incidence / (1 + 0.45 * p.sibling_case)) * share
            chance = np.where(self.open_until[children] > start, 0, chance)
            struck = np.flatnonzero(rng.random(len(children)) < chance)
            when = on[struck] + rng.integers(1, np.maximum(end - on[struck], 2))
            self._open_cases(situation, struck, when, period)
            self._other_contacts(situation, start, end, on)
            self._school_outcomes(situation, before, end)
            if before <= p.want_records_years:
                self._want(situation, before, start, end)
            if self.progress:
                self.progress("circumstances", (years - before + 1) / years)
        situation = self.situation(self._current_children(), self.as_of)
        self.situations[0] = situation

    def _current_children(self) -> np.ndarray:
        people = self.people
        here = np.flatnonzero(people.status == 1)
        return here[add_years(people.birth[here].astype(np.int64), 18) > self.as_of]

    def _open_cases(self, situation: Situation, struck: np.ndarray, when: np.ndarray, period: int) -> None:
        """Cases of these children and of siblings in their households, with what they lead to."""
        people, rng, p = self.people, self.rng, self.parameters
        households = situation.household
        # Siblings who live with the child are often entered with it.
        first_of = {}
        order = np.argsort(when, kind="stable")
        for position in order[::-1]:
            first_of[int(households[struck[position]])] = int(position)
        chosen = np.zeros(len(situation.children), dtype=bool)
        chosen[struck] = True
        homes = np.array(sorted(first_of), dtype=np.int64)
        firsts = np.array([first_of[int(home)] for home in homes], dtype=np.int64)
        place = np.searchsorted(homes, households) if len(homes) else np.zeros(len(households), dtype=np.int64)
        beside = np.zeros(len(households), dtype=bool)
        if len(homes):
            place = np.minimum(place, len(homes) - 1)
            beside = (homes[place] == households) & ~chosen
            index = struck[firsts[place]]
            children = situation.children
            same = (people.mother[children] == people.mother[children[index]]) & (people.mother[children] >= 0)
            beside &= same & (self.open_until[children] <= situation.on)
        joining = np.flatnonzero(beside & (rng.random(len(households)) < p.sibling_case))
        joined = when[firsts[place[joining]]] + rng.choice([0, 0, 0, 5, 20], len(joining))
        positions = np.concatenate([struck, joining])
        days = np.concatenate([when, joined]).astype(np.int64)
        children = situation.children[positions]
        valid = (
            (days > people.birth[children])
            & (days <= self.as_of)
            & (days < add_years(people.birth[children].astype(np.int64), 18))
        )
        valid &= self.history.household_at(children, np.maximum(days - 1, people.birth[children])) >= 0
        positions, days, children = positions[valid], days[valid], children[valid]
        difficulty = self._difficulty(situation, positions, days)
        abuse = self._abuse_kind(situation, positions)
        abuse = np.where((difficulty == 0) | (rng.random(len(positions)) < 0.12), abuse, 0)
        length = rng.gamma(1.6, p.case_months / 1.6 * 30.4, len(positions)).astype(np.int64) + 60
        end = days + length
        end = np.where(end > self.as_of, OPEN, end)
        listed = (days > day(2005, 4)) | (rng.random(len(days)) < p.old_case_share)
        self.cases.append(
            len(days),
            child=children,
            start=days,
            end=end,
            difficulty=difficulty,
            abuse=abuse,
            listed=listed,
            period=period,
        )
        self.last_case[children] = np.maximum(self.last_case[children], days)
        self.case_in_childhood[children] = True
        self.open_until[children] = np.maximum(self.open_until[children], days + length)

        with_centre = rng.random(len(days)) < p.guidance_with_council * np.where(abuse > 0, 1.3, 0.4)
        self._guidance(
            children[with_centre], days[with_centre] - rng.integers(0, 40, with_centre.sum()), abuse[with_centre]
        )
        consulted = rng.random(len(days)) < p.consultation_before_case
        before = days - rng.integers(0, 60, len(days))
        consulted &= before > people.birth[children]
        self.consultations.append(
            int(consulted.sum()),
            child=children[consulted],
            day=before[consulted],
            difficulty=difficulty[consulted],
            abuse=abuse[consulted],
            about_abuse=abuse[consulted] > 0,
        )

    def _difficulty(self, situation: Situation, positions: np.ndarray, days: np.ndarray) -> np.ndarray:
        rng, factors = self.rng, situation.factors
        age = (days - self.people.birth[situation.children[positions]]) / YEAR
        weights = np.stack(
            [
                1.4 + 1.2 * factors["violence"][positions] + 0.9 * factors["neglect"][positions],
                0.15 + 0.6 * factors["poverty"][positions],
                np.where(age >= 7, 0.3 + 0.3 * factors["child_disability"][positions], 0),
                np.where(
                    age >= 8,
                    0.08 + 0.9 * factors["care_burden"][positions] + 0.3 * factors["parental_illness"][positions],
                    0,
                ),
                np.where(age < 1.2, 0.3 + 1.5 * factors["parental_illness"][positions], 0),
            ]
        )
        return _draw(rng, weights)

    def _abuse_kind(self, situation: Situation, positions: np.ndarray) -> np.ndarray:
        factors = situation.factors
        age = (situation.on - self.people.birth[situation.children[positions]]) / YEAR
        weights = np.stack(
            [
                np.full(len(positions), 0.24) + 0.2 * factors["step_partner"][positions],
                0.5 + 0.7 * factors["violence"][positions],
                0.15 + 0.8 * factors["neglect"][positions],
                np.where(age > 6, 0.015, 0.0),
            ]
        )
        return _draw(self.rng, weights) + 1

    def _guidance(self, children: np.ndarray, days: np.ndarray, abuse: np.ndarray) -> None:
        rng = self.rng
        valid = days > self.people.birth[children]
        children, days, abuse = children[valid], days[valid], abuse[valid]
        held = (abuse > 0) & (rng.random(len(days)) < 0.16)
        held_from = days + rng.integers(0, 12, len(days))
        held &= held_from <= self.as_of
        held_to = held_from + rng.integers(5, 75, len(days))
        self.guidance.append(
            len(days),
            child=children,
            day=days,
            abuse=abuse,
            held=np.where(held, held_from, OPEN),
            held_to=np.where(held & (held_to <= self.as_of), held_to, OPEN),
            placed=held & (rng.random(len(days)) < 0.25),
        )
        # An entry at the centre is a case of its own.
        self.last_case[children] = np.maximum(self.last_case[children], days)
        self.case_in_childhood[children] = True

    def _other_contacts(self, situation: Situation, start: int, end: int, on: np.ndarray) -> None:
        """Entries at the guidance centre and consultations without a council case."""
        rng, p = self.rng, self.parameters
        children = situation.children
        recent = start > day(2000)
        score = situation.score("case")
        age = (end - self.people.birth[children]) / YEAR
        struck = np.flatnonzero(rng.random(len(children)) < calibrated(0.8 * score, p.guidance_alone))
        when = on[struck] + rng.integers(1, np.maximum(end - on[struck], 2))
        valid = (when <= self.as_of) & (when < add_years(self.people.birth[children[struck]].astype(np.int64), 18))
        struck, when = struck[valid], when[valid]
        abuse = np.where(rng.random(len(struck)) < 0.7, self._abuse_kind(situation, struck), 0)
        self._guidance(children[struck], when, abuse)
        if not recent:
            return
        asked = np.flatnonzero(rng.random(len(children)) < calibrated(0.6 * score, p.consultation_alone))
        when = on[asked] + rng.integers(1, np.maximum(end - on[asked], 2))
        valid = (when <= self.as_of) & (when < add_years(self.people.birth[children[asked]].astype(np.int64), 18))
        asked, when = asked[valid], when[valid]
        about = (rng.random(len(asked)) < 0.33 * np.where(score[asked] > 1, 1.2, 0.8)) & (age[asked] < 18)
        abuse = np.where(about, self._abuse_kind(situation, asked), 0)
        difficulty = np.where(about, 0, np.where(rng.random(len(asked)) < 0.5, 1, 2))
        self.consultations.append(
            len(asked), child=children[asked], day=when, difficulty=difficulty, abuse=abuse, about_abuse=about
        )
        named = children[asked[about]]
        self.last_case[named] = np.maximum(self.last_case[named], when[about])
        self.case_in_childhood[named] = True

    def _school_outcomes(self, situation: Situation, before: int, end: int) -> None:
        """Who stays away from school and who looks after family, in the years that leave monthly records."""
        rng, p = self.rng, self.parameters
        age = (end - self.people.birth[situation.children]) / YEAR
        logit = situation.score("truancy")
        primary = calibrated(logit, p.truancy_share_primary)
        junior = calibrated(logit, p.truancy_share_junior)
        self.truants[before] = situation.children[
            (age >= 6.5) & (rng.random(len(age)) < np.where(age > 12.5, junior, primary))
        ]
        carer = calibrated(situation.score("young_carer"), p.young_carer_share)
        self.carers[before] = situation.children[(age >= 8) & (rng.random(len(age)) < carer)]

    def _want(self, situation: Situation, before: int, start: int, end: int) -> None:
        """Which households with children come to want in a year: all their children on one day."""
        rng = np.random.default_rng([self.parameters.seed, 11, before])
        homes, first, of_home = np.unique(situation.household, return_index=True, return_inverse=True)
        chance = calibrated(situation.score("poverty")[first], self.parameters.want_share)
        struck = (homes >= 0) & (rng.random(len(homes)) < chance)
        days = start + rng.integers(1, end - start, len(homes))
        rows = struck[of_home] & (self.people.birth[situation.children] < days[of_home])
        self.in_want[before] = (situation.children[rows], days[of_home][rows])


def calibrated(logit: np.ndarray, target: float) -> np.ndarray:
    """Chances with these relative log-odds and this mean (to within a thousandth of it)."""
    if not len(logit):
        return logit
    low, high = -20.0, 10.0
    values, counts = np.unique(np.round(logit, 3), return_counts=True)
    for _ in range(40):
        middle = (low + high) / 2
        mean = (counts / (1 + np.exp(-(values + middle)))).sum() / counts.sum()
        low, high = (middle, high) if mean < target else (low, middle)
    return 1 / (1 + np.exp(-(logit + (low + high) / 2)))


def _draw(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """One row of ``weights`` (options × cases) for each case, with chances in proportion."""
    cumulative = np.cumsum(weights, axis=0)
    return (rng.random(weights.shape[1]) * cumulative[-1] >= cumulative).sum(axis=0)
