"""困難事例: reference children as of a date before the outcome, with what a version gives them.

The children are frozen and judged as ``kodomo.evaluation`` does it, by the compiled statements of the publication over
its data, in memory. A child that was known at the date is no case, and items made from cases are no evidence for them.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kodomo.determination.service import FREEZING_MEMORY, Connection, reading
from kodomo.errors import KodomoError
from kodomo.evaluation.evidence import build
from kodomo.evaluation.frozen import OUTCOME_MONTHS
from kodomo.evaluation.relations import COHORT, FROZEN, REFUSED
from kodomo.home import Home
from kodomo.publication.inputs import EVALUATED
from kodomo.scoring.definition import Definition
from kodomo.scoring.replay import PARAMETERS, SCRATCH, WAREHOUSE
from kodomo.warehouse import records
from kodomo.workshop.patterns import Band, Patterns, common_patterns

PAST_DATES = 4
"""How many past dates are offered: the last whose outcomes are known, and those of the years before it."""

_CHILDREN = f"""
select person_id, current_person_id, age_months, outcome_until
from {SCRATCH}.{FROZEN}
order by person_id
"""
_BANDS = f"""
with

met as (
    select person_id, unnest(bands) as band from {SCRATCH}.{FROZEN}
)

select person_id, band.item_code as item_code, band.band_no as band_no
from met
order by all
"""
_SCORES = f"""
with

given as (
    select person_id, unnest(scores) as score from {SCRATCH}.{FROZEN}
),

ranks as (
    select
        *,
        tier_rank > min(tier_rank) over (partition by difficulty_type) as is_found
    from {SCRATCH}.seeds.risk_tiers
    where model_version = $version
)

select
    given.person_id,
    given.score.difficulty_type as difficulty_type,
    given.score.score as score,
    given.score.tier as tier,
    coalesce(ranks.is_found, false) as is_found
from given
left join ranks on given.score.difficulty_type = ranks.difficulty_type and given.score.tier = ranks.tier
where given.score.model_version = $version
"""
_JUDGED = f"""
select
    cohort.difficulty_type,
    cohort.person_id,
    cohort.became_case,
    cohort.became_case_on,
    date_sub('month', frozen.frozen_on, cohort.became_case_on) as months_before
from {SCRATCH}.{COHORT} as cohort
inner join {SCRATCH}.{FROZEN} as frozen on cohort.person_id = frozen.person_id
"""


@dataclass(frozen=True)
class Given:
    """What the version gave a child of a difficulty type. ``is_found``: a tier above the lowest."""

    score: Any
    tier: str | None
    is_found: bool


@dataclass(frozen=True)
class Outcome:
    """Whether a child that was not known before became a case, when first, and how many whole months after the date."""

    became_case: bool
    became_case_on: dt.date | None
    months_before: int | None


@dataclass(frozen=True)
class FrozenCity:
    """Everyone who was a child at a past date, as a version saw them. ``ids``: as known today; ``met``: band → one
    truth value per child; ``given`` and ``judged``: difficulty type → number of the child → what it got, and became."""

    version: str
    frozen_on: dt.date
    outcome_until: dt.date
    ids: tuple[str, ...]
    ages: np.ndarray
    met: Mapping[tuple[str, int], np.ndarray]
    given: Mapping[str, Mapping[int, Given]]
    judged: Mapping[str, Mapping[int, Outcome]]
    refused: Mapping[str, frozenset[str]]
    dates: tuple[dt.date, ...] = ()
    """Where several dates are pooled, that of each child, which is there once for each; else empty."""

    def date_of(self, place: int) -> dt.date:
        """The date at which a child is frozen."""
        return self.dates[place] if self.dates else self.frozen_on


@dataclass(frozen=True)
class ReferenceChild:
    """A reference child at the date. ``given`` is None at an age that the type does not concern; ``outcome`` where the
    child was a case before (``was_known``) or could be none; ``bands``: those that have points, with the points."""

    person_id: str
    age_months: int | None
    given: Given | None
    outcome: Outcome | None
    bands: tuple[tuple[str, int, Any], ...]
    frozen_on: dt.date

    @property
    def is_found(self) -> bool:
        """Whether the version would have given a tier above the lowest."""
        return self.given is not None and self.given.is_found


@dataclass(frozen=True)
class KnownCases:
    """Reference children of a difficulty type. ``counted``: those that were not known before, the only ones that say
    anything about what comes before a case; ``absent``: chosen ones who were no child here at the date."""

    difficulty_type: str
    frozen_on: dt.date
    outcome_until: dt.date
    people: int
    children: tuple[ReferenceChild, ...]
    absent: int
    missed: Patterns
    found: Patterns
    dates: tuple[dt.date, ...]
    """The dates that are looked at, the earliest first."""

    @property
    def counted(self) -> list[ReferenceChild]:
        """The children who were no case at the date, and are scored for the type."""
        return [child for child in self.children if child.outcome is not None and child.given is not None]


def past_dates(home: Home) -> list[dt.date]:
    """The dates to choose from, the latest first: all that comes in the twelve months after each is known."""
    with reading(home) as (connection, _):
        return connection.execute(
            f"select list(cast(as_of_on - to_months(cast(years * {OUTCOME_MONTHS} as int)) as date) order by years) "
            f"from {WAREHOUSE}.{PARAMETERS} cross join range(1, {PAST_DATES + 1}) as past (years)"
        ).fetchall()[0][0]


def freeze_city(home: Home, definition: Definition, version: str, frozen_on: dt.date) -> FrozenCity:
    """Freeze the children at a date, score them by a version of a definition, and judge what came after.

    Raises KodomoError where nothing has been published, or by a kodomo that published no statements for it.
    """
    with reading(home, os.cpu_count() or 1, FREEZING_MEMORY) as (connection, reader):
        models = reader.judging_models
        # The compiled statements of an evaluation may be older than those of the run.
        if "became_case_on" not in models.statements.get(COHORT, ""):
            raise KodomoError("An earlier kodomo published what is in service: run `kodomo run` to publish again.")
        built_on = connection.execute(f"select as_of_on from {WAREHOUSE}.{PARAMETERS}").fetchall()[0][0]
        build(connection, models, frozen_on, built_on, EVALUATED, definition, [version])
        return read_frozen(connection, version, frozen_on)


def read_frozen(connection: Connection, version: str, frozen_on: dt.date) -> FrozenCity:
    """The frozen children of an open ``scratch``."""
    children = records(connection, _CHILDREN)
    number = {row["person_id"]: place for place, row in enumerate(children)}
    met: dict[tuple[str, int], np.ndarray] = {}
    bands = connection.execute(_BANDS).fetchnumpy()
    for person_id, item, band in zip(bands["person_id"], bands["item_code"], bands["band_no"], strict=True):
        who = met.setdefault((item, int(band)), np.zeros(len(children), dtype=bool))
        who[number[person_id]] = True
    given: dict[str, dict[int, Given]] = {}
    for row in records(connection, _SCORES, {"version": version}):
        mine = given.setdefault(row["difficulty_type"], {})
        mine[number[row["person_id"]]] = Given(row["score"], row["tier"], row["is_found"])
    judged: dict[str, dict[int, Outcome]] = {}
    for row in records(connection, _JUDGED):
        outcome = Outcome(row["became_case"], row["became_case_on"], row["months_before"])
        judged.setdefault(row["difficulty_type"], {})[number[row["person_id"]]] = outcome
    refused: dict[str, set[str]] = {}
    for row in records(connection, f"select difficulty_type, item_code from {SCRATCH}.{REFUSED}"):
        refused.setdefault(row["difficulty_type"], set()).add(row["item_code"])
    ages = [np.nan if row["age_months"] is None else row["age_months"] for row in children]
    return FrozenCity(
        version,
        frozen_on,
        children[0]["outcome_until"] if children else frozen_on,
        tuple(row["current_person_id"] for row in children),
        np.array(ages, dtype=float),
        met,
        given,
        judged,
        {difficulty: frozenset(items) for difficulty, items in refused.items()},
    )


def known_cases(
    city: FrozenCity, definition: Definition, difficulty: str, person_ids: Collection[str] | None = None
) -> KnownCases:
    """The reference children of a difficulty type, and what the found and the missed among them have in common.

    ``person_ids``: those that were chosen by hand; default: all who became a case after the date.
    """
    judged, given = city.judged.get(difficulty, {}), city.given.get(difficulty, {})
    if person_ids is None:
        places = [place for place, outcome in judged.items() if outcome.became_case]
    else:
        wanted = set(person_ids)
        places = _last_places(city, wanted, judged.keys() & given.keys())
    points = {
        (row["item_code"], row["band_no"]): row["coefficient"]
        for row in definition["risk_coefficients"]
        if (row["model_version"], row["difficulty_type"]) == (city.version, difficulty)
    }
    children = [_child(city, place, given.get(place), judged.get(place), points) for place in sorted(places)]
    # Compared are children who could become a case, and whom the version scores: known ones show what followed.
    compared = np.array(sorted(judged.keys() & given.keys()), dtype=int)
    bands = _bands(city, definition, difficulty, compared)
    of_place = dict(zip(sorted(places), children, strict=True))

    def in_common(*, is_found: bool) -> Patterns:
        chosen = [place in of_place and of_place[place].is_found == is_found for place in compared]
        return common_patterns(bands, np.array(chosen, dtype=bool))

    return KnownCases(
        difficulty,
        city.frozen_on,
        city.outcome_until,
        len(compared),
        tuple(children),
        0 if person_ids is None else len(wanted - set(city.ids)),
        in_common(is_found=False),
        in_common(is_found=True),
        tuple(sorted(set(city.dates))) or (city.frozen_on,),
    )


def pooled(cities: Sequence[FrozenCity]) -> FrozenCity:
    """The children of several dates, as one version saw them: each of them once for every date.

    The dates lie a year apart, and who was a case at a date counts no more: a case is in it once.
    """
    sizes = [len(city.ids) for city in cities]
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    met: dict[tuple[str, int], np.ndarray] = {}
    given: dict[str, dict[int, Given]] = {}
    judged: dict[str, dict[int, Outcome]] = {}
    refused: dict[str, frozenset[str]] = {}
    for city, start, size in zip(cities, starts, sizes, strict=True):
        for band, who in city.met.items():
            met.setdefault(band, np.zeros(sum(sizes), dtype=bool))[start : start + size] = who
        for difficulty, of_type in city.given.items():
            given.setdefault(difficulty, {}).update({start + place: one for place, one in of_type.items()})
        for difficulty, outcomes in city.judged.items():
            judged.setdefault(difficulty, {}).update({start + place: one for place, one in outcomes.items()})
        for difficulty, items in city.refused.items():
            refused[difficulty] = refused.get(difficulty, frozenset()) | items
    return FrozenCity(
        cities[0].version,
        min(city.frozen_on for city in cities),
        max(city.outcome_until for city in cities),
        tuple(person_id for city in cities for person_id in city.ids),
        np.concatenate([city.ages for city in cities]),
        met,
        given,
        judged,
        refused,
        tuple(city.frozen_on for city, size in zip(cities, sizes, strict=True) for _ in range(size)),
    )


def _last_places(city: FrozenCity, wanted: Collection[str], counted: Collection[int]) -> list[int]:
    """Where chosen children stand: of several dates the last at which a child counts, else the last of all."""
    last: dict[str, int] = {}
    for place in sorted(range(len(city.ids)), key=lambda place: (place in counted, city.date_of(place))):
        if city.ids[place] in wanted:
            last[city.ids[place]] = place
    return list(last.values())


def _child(
    city: FrozenCity,
    place: int,
    given: Given | None,
    outcome: Outcome | None,
    points: Mapping[tuple[str, int], Any],
) -> ReferenceChild:
    age = city.ages[place]
    bands = [(*band, points[band]) for band, who in city.met.items() if who[place] and points.get(band)]
    return ReferenceChild(
        city.ids[place],
        None if np.isnan(age) else int(age),
        given,
        outcome,
        tuple(sorted(bands, key=lambda band: (-band[2], band[0], band[1]))),
        city.date_of(place),
    )


def _bands(city: FrozenCity, definition: Definition, difficulty: str, compared: np.ndarray) -> Sequence[Band]:
    """The bands that may be evidence for the type, over the children who are compared."""
    items = {row["item_code"]: row for row in definition["risk_items"]}
    refused = city.refused.get(difficulty, frozenset())
    ages = city.ages[compared]
    bands = []
    for (item, number), who in sorted(city.met.items()):
        if item not in refused and item in items:
            lower, upper = items[item]["age_from_months"], items[item]["age_to_months"]
            applies = np.ones(len(compared), dtype=bool)
            # As the macro applies_at_age: of unknown age, only items without bounds apply.
            if lower is not None:
                applies &= ages >= lower
            if upper is not None:
                applies &= ages < upper
            bands.append(Band(item, number, who[compared], applies))
    return bands
