"""困難事例 on a city: the publication freezes and judges children as the batch does; a proposal is fitted to them."""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest

from kodomo.evaluation.proposal import learn
from kodomo.home import Home
from kodomo.scoring.definition import read_definition
from kodomo.seeds import SEEDS
from kodomo.workshop.known_cases import FrozenCity, freeze_city, known_cases, past_dates
from tests.conftest import City

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def frozen(city: City) -> FrozenCity:
    """The children of twelve months before the build, by the version in force."""
    home = Home(city.home)
    return freeze_city(home, read_definition(SEEDS), "v2", past_dates(home)[0])


def test_the_frozen_children_are_those_of_the_batch(city: City, frozen: FrozenCity) -> None:
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        judged = connection.execute(
            "select cohort.difficulty_type, frozen.current_person_id, cohort.became_case, cohort.became_case_on "
            "from intermediate.int_evaluation__cohort as cohort "
            "inner join intermediate.int_evaluation__frozen as frozen using (person_id)"
        ).fetchall()
        given = connection.execute(
            "select given.difficulty_type, current_person_id, given.score, given.tier "
            "from (select current_person_id, unnest(scores) as given from intermediate.int_evaluation__frozen) "
            "where given.model_version = 'v2'"
        ).fetchall()
        met = connection.execute(
            "select current_person_id, band.item_code, band.band_no "
            "from (select current_person_id, unnest(bands) as band from intermediate.int_evaluation__frozen)"
        ).fetchall()
    assert judged
    assert Counter(judged) == Counter(
        (difficulty, frozen.ids[place], one.became_case, one.became_case_on)
        for difficulty, outcomes in frozen.judged.items()
        for place, one in outcomes.items()
    )
    assert Counter(given) == Counter(
        (difficulty, frozen.ids[place], one.score, one.tier)
        for difficulty, scores in frozen.given.items()
        for place, one in scores.items()
    )
    assert Counter(met) == Counter(
        (frozen.ids[place], item, band) for (item, band), who in frozen.met.items() for place in who.nonzero()[0]
    )


def test_an_outcome_comes_after_the_date_and_is_no_evidence(frozen: FrozenCity) -> None:
    cases = known_cases(frozen, read_definition(SEEDS), "abuse")
    assert cases.children
    assert all(frozen.frozen_on < child.outcome.became_case_on <= cases.outcome_until for child in cases.children)
    assert all(0 <= child.outcome.months_before <= 12 for child in cases.children)
    refused = frozen.refused["abuse"]
    assert {"council_case_open", "horizontal_chain"} & refused
    for patterns in (cases.missed, cases.found):
        named = {item for rule in (*patterns.rules, *patterns.hints) for item, _ in rule.bands}
        assert not named & refused


def test_a_proposal_learns_from_the_children_of_the_same_date(city: City, frozen: FrozenCity) -> None:
    learned, dates, _, _ = learn(Home(city.home), "abuse", [frozen.frozen_on], None)
    cases = known_cases(frozen, read_definition(SEEDS), "abuse")
    assert dates == [frozen.frozen_on]
    assert (len(learned.outcomes), int(learned.outcomes.sum())) == (cases.people, len(cases.counted))
