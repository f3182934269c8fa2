"""A whole city, its files clean, with the slips of real files, and with the register in the national layout.

What is recovered counts alike, what is asked is a question, what is rejected is a reject, and nothing else changes; the
register in another layout makes the same people, families, chains and scores.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from synthetic_city.city import generate
from synthetic_city.parameters import Parameters
from tests.field.running import Outcome, prepared_home, run_case

pytestmark = pytest.mark.slow

AS_OF = dt.date(2026, 4, 1)
MARTS = {
    "fct_observation": "person_id, observation_code, observed_on, ended_on, value, text_value, source_id",
    "dim_person": "person_id, atena_no, display_name, kana, birth_on, sex, household_id, area_code, is_resident",
    "dim_child": "person_id, age_months, area_code, household_id, mother_id, father_id, is_known_to_services",
    "fct_family_link": "from_person_id, to_person_id, link_type, valid_from, valid_to, origin",
    "fct_risk_score": "model_version, difficulty_type, person_id, score, tier, is_override",
}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the city: ``clean``, ``slips`` and ``standard``."""
    folder = tmp_path_factory.mktemp("city")
    parameters = {"residents": 600, "seed": 7, "as_of": AS_OF, "dirty_rate": 0}
    generate(folder / "clean", Parameters(**parameters, slip_rate=0))
    generate(folder / "slips", Parameters(**parameters))
    generate(folder / "standard", Parameters(**parameters, slip_rate=0, standard_register=True))
    return folder


@pytest.fixture(scope="module")
def outcomes(city: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What a run makes of each."""
    folder = tmp_path_factory.mktemp("runs")
    prepared = prepared_home(folder / "prepared")
    names = ("clean", "slips", "standard")
    return {name: run_case(city / name / "landing", AS_OF, folder / name, prepared) for name in names}


@pytest.fixture(scope="module")
def slips(city: Path) -> list[dict[str, str]]:
    """The truth beside the files."""
    with (city / "slips" / "truth" / "slips.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def of_kind(slips: list[dict[str, str]], *kinds: str) -> list[dict[str, str]]:
    return [slip for slip in slips if slip["kind"] in kinds]


@pytest.fixture(scope="module")
def in_doubt(outcomes: dict[str, Outcome], slips: list[dict[str, str]]) -> set[str]:
    """The people of the records whose names are exchanged, and who stands for them until a person decides."""
    people = set()
    for slip in of_kind(slips, "name_swapped"):
        place = [slip["source_id"], slip["file_name"], int(slip["line_number"])]
        ((key,),) = outcomes["slips"].rows(
            "select service_no from raw.social_council_services as rows "
            "inner join raw.deliveries as deliveries using (delivery_id) "
            "where deliveries.source_id = ? and deliveries.file_name = ? and rows.line_number = ?",
            place,
        )
        for outcome in outcomes.values():
            people |= {
                person
                for (person,) in outcome.rows(
                    "select person_id from intermediate.int_person__identities where source_key = ?", [key]
                )
            }
    return people


@pytest.mark.parametrize("mart", MARTS)
def test_recovered_values_count_as_in_the_clean_city(
    outcomes: dict[str, Outcome], in_doubt: set[str], mart: str
) -> None:
    clean, read = (
        Counter(
            row for row in outcomes[name].rows(f"select {MARTS[mart]} from marts.{mart}") if not in_doubt & set(row)
        )
        for name in ("clean", "slips")
    )
    assert clean
    assert read == clean


def test_register_in_the_national_layout_loses_nothing(outcomes: dict[str, Outcome]) -> None:
    delivery = outcomes["standard"].delivery("resident_register")
    assert (delivery["layout"], delivery["status"], delivery["rows_rejected"]) == ("standard", "loaded", 0)
    # Rows of earlier states, and rows that were taken back, beside one of each person.
    assert delivery["rows_loaded"] > outcomes["clean"].delivery("resident_register")["rows_loaded"]
    assert outcomes["standard"].rows("select count(*) from marts.fct_fact_account where fate = 'vanished'") == [(0,)]


@pytest.mark.parametrize("mart", [*MARTS, "fct_chain"])
def test_register_in_the_national_layout_makes_the_same_marts(outcomes: dict[str, Outcome], mart: str) -> None:
    columns = MARTS.get(mart, "person_id, chain_type, end_person_id, steps, path, case_source_id")
    clean, read = (
        Counter(outcomes[name].rows(f"select {columns} from marts.{mart}")) for name in ("clean", "standard")
    )
    assert clean
    if mart == "fct_observation":
        # The layout has no columns of support measures: the latest of a person is in the register too in the other
        # one. In their own extract, each measure is there in both.
        twice = {row for row in clean if row[1] == "support_measure" and row[-1] == "resident_register"}
        alone = {(*row[:5], row[-1]) for row in clean - Counter(twice)}
        assert twice
        assert {(*row[:5], "support_measures") for row in twice} <= alone
        clean -= Counter(twice)
    assert read == clean


def test_rejects_are_the_expected_ones(outcomes: dict[str, Outcome], slips: list[dict[str, str]]) -> None:
    rejects = outcomes["slips"].rows(
        "select rejects.source_id, deliveries.file_name, rejects.line_number from marts.fct_reject as rejects "
        "inner join marts.fct_delivery as deliveries using (delivery_id) where deliveries.status = 'loaded'"
    )
    expected = [
        (slip["source_id"], slip["file_name"], int(slip["line_number"]))
        for slip in slips
        if slip["expected"] == "rejected"
    ]
    assert sorted(rejects) == sorted(expected)


def test_unclear_values_are_questions(outcomes: dict[str, Outcome], slips: list[dict[str, str]]) -> None:
    outcome = outcomes["slips"]
    questions = outcome.rows("select question, source_id, detail, row_count from marts.fct_steward_question")
    asked = Counter()
    for question, source_id, _, rows in questions:
        asked[question, source_id] += rows
    before = Counter()
    for question, source_id, rows in outcomes["clean"].rows(
        "select question, source_id, sum(row_count) from marts.fct_steward_question group by all"
    ):
        before[question, source_id] += rows
    kinds = {
        "interpreted_date": ("ended_era", "end_before_beginning"),
        "orphan": ("number_of_no_resident",),
        "unknown_code": ("unknown_kind",),
        "unreadable_value": ("body_in_number", "implausible_number"),
    }
    for question, slips_of_kind in kinds.items():
        expected = Counter((question, slip["source_id"]) for slip in of_kind(slips, *slips_of_kind))
        assert expected
        assert {key: asked[key] - before[key] for key in expected} == dict(expected)
    words = {slip["written"] for slip in of_kind(slips, "unknown_kind")}
    assert words <= {detail for _, _, detail, _ in questions}


def test_a_record_with_an_exchanged_name_is_for_review(
    outcomes: dict[str, Outcome], slips: list[dict[str, str]], in_doubt: set[str]
) -> None:
    assert of_kind(slips, "name_swapped")
    linked = outcomes["clean"].rows("select source_key from marts.fct_link_decision where status = 'linked'")
    for_review = outcomes["slips"].rows("select source_key from marts.fct_link_decision where status = 'review'")
    swapped = {person.removeprefix("social_council_services-") for person in in_doubt}
    assert swapped & {key for (key,) in linked} <= {key for (key,) in for_review}


def test_a_file_of_the_future_is_held(outcomes: dict[str, Outcome], slips: list[dict[str, str]]) -> None:
    held = outcomes["slips"].rows("select source_id, file_name from marts.fct_delivery where status = 'held'")
    assert held == [(slip["source_id"], slip["file_name"]) for slip in of_kind(slips, "file_of_the_future")]
