"""Each source says what no row of it means: event or roster."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from kodomo.contract import SEEDS, SOURCES, load_contracts
from kodomo.errors import KodomoError

ROSTERS = {
    "resident_register",
    "household_history",
    "nursery_enrolment",
    "nursery_attendance",
    "school_enrolment",
    "school_attendance",
    "infant_checkups",
    "school_checkups",
    "vaccinations",
    "child_allowance",
    "child_rearing_allowance",
    "national_health_insurance",
}
EVENTS = {"child_consultations", "council_cases", "dv_consultations", "newborn_visits", "school_consultations"}


def test_lists_of_people_are_rosters_and_what_happens_is_an_event() -> None:
    contracts = load_contracts()
    assert {contracts[source].coverage for source in ROSTERS} == {"roster"}
    assert {contracts[source].coverage for source in EVENTS} == {"event"}
    assert all((contract.roster is not None) == (contract.coverage == "roster") for contract in contracts.values())


def test_observations_of_a_roster_are_observations_of_its_source() -> None:
    with (SEEDS / "observation_codes.csv").open(encoding="utf-8", newline="") as file:
        sources = {row["observation_code"]: row["source_id"] for row in csv.DictReader(file)}
    for contract in load_contracts().values():
        named = contract.roster.observations if contract.roster else ()
        assert {sources.get(code) for code in named} <= {contract.source_id}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "coverage is None: write event"),
        ("            coverage: list\n", "coverage is 'list': write event"),
        ("            coverage: event\n            roster: {age_from_months: 1}\n", "roster is for a source whose"),
        ("            coverage: roster\n            roster: {ages: 1}\n", "roster has ages: it takes age_from_months"),
        (
            "            coverage: roster\n            roster: {ages_at: birth}\n",
            "ages_at is 'birth': write",
        ),
        ("            coverage: roster\n            roster: {lasts_months: long}\n", "lasts_months is 'long': write a"),
    ],
)
def test_source_that_does_not_say_what_no_row_means_is_refused(tmp_path: Path, written: str, words: str) -> None:
    text = (SOURCES / "dv_consultations.yml").read_text(encoding="utf-8")
    assert text.count("            coverage: event\n") == 1
    (tmp_path / "dv_consultations.yml").write_text(
        text.replace("            coverage: event\n", written), encoding="utf-8"
    )
    with pytest.raises(KodomoError, match=r"dv_consultations\.yml is not a delivery contract") as error:
        load_contracts(tmp_path)
    assert words in str(error.value)
