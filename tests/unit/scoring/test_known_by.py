"""By what a service knows a child, against a second implementation of scoring.md and at the edges of its windows."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from kodomo.home import PROJECT, Home
from kodomo.scoring.engine import Bundle, load_bundle, memory_warehouse
from kodomo.scoring.score import set_as_of
from tests.unit.scoring.reference import MONTHS_WITHOUT_END, known_by, minus_months

AS_OF = dt.date(2026, 4, 1)
OBSERVATIONS = {
    "council_case": "council_case",
    "temporary_protection": "temporary_protection",
    "guidance_measure": "guidance_measure",
    "guidance_reception": "guidance_case",
    "child_consultation": "consultation",
    "dv_consultation_of_parent": "dv_consultation",
}
SOURCES = {
    "council_case": "council_cases",
    "child_consultation": "child_consultations",
    "dv_consultation_of_parent": "dv_consultations",
}
NEVER_ENDS = {"guidance_measure", "guidance_reception", "child_consultation", "dv_consultation_of_parent"}
TABLES = f"""
create table warehouse.seeds.known_ways as
select * from read_csv('{PROJECT / "seeds" / "known_ways.csv"}', types = {{'months_without_end': 'integer'}});
create table warehouse.intermediate.int_person__subjects (person_id varchar);
create table warehouse.intermediate.int_family__parents_as_of (
    person_id varchar, mother_id varchar, father_id varchar
);
create table warehouse.intermediate.int_person__identities (
    source_id varchar, source_key varchar, person_id varchar, is_linked boolean
);
create table warehouse.intermediate.int_observations__barred (purpose varchar, observation_code varchar);
create table warehouse.intermediate.int_observations__child (
    person_id varchar, observation_code varchar, observed_on date, ended_on date, source_id varchar
);
create table warehouse.intermediate.int_observations__guidance_centre (
    person_id varchar, observation_code varchar, observed_on date, ended_on date, source_id varchar
);
create table warehouse.raw.supports (person_id varchar, started_on date, ended_on date);
"""


@pytest.fixture(scope="module")
def bundle(home: Home) -> Bundle:
    """The compiled model."""
    return load_bundle(home.ensure(), ["int_child__known_facts", "int_child__known_by"])


@pytest.fixture
def warehouse(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """What the model reads, empty but for the ways."""
    connection = memory_warehouse()
    connection.execute(TABLES)
    yield connection
    connection.close()


def child(connection: duckdb.DuckDBPyConnection, person: str, mother: str | None = None, father: str | None = None):
    """A child of these parents."""
    connection.execute("insert into warehouse.intermediate.int_person__subjects values (?)", [person])
    connection.execute(
        "insert into warehouse.intermediate.int_family__parents_as_of values (?, ?, ?)", [person, mother, father]
    )


def fact(connection: duckdb.DuckDBPyConnection, way: str, person: str, on: dt.date, ended: dt.date | None = None):
    """A fact, where the batch has it."""
    if way == "meeting_support":
        connection.execute("insert into warehouse.raw.supports values (?, ?, ?)", [person, on, ended])
        return
    source = SOURCES.get(way, "guidance_centre_cases")
    table = "guidance_centre" if source == "guidance_centre_cases" else "child"
    connection.execute(
        f"insert into warehouse.intermediate.int_observations__{table} values (?, ?, ?, ?, ?)",
        [person, OBSERVATIONS[way], on, ended, source],
    )


def ways(connection: duckdb.DuckDBPyConnection, bundle: Bundle, as_of: dt.date = AS_OF) -> dict[str, dict[str, Any]]:
    """child → way → day, as the model has it."""
    set_as_of(connection, as_of)
    bundle.execute(connection)
    ways_of: dict[str, dict[str, Any]] = {}
    for person, way, known_on in connection.execute(
        "select person_id, way, known_on from warehouse.intermediate.int_child__known_by"
    ).fetchall():
        ways_of.setdefault(person, {})[way] = known_on
    return ways_of


@pytest.mark.parametrize("as_of", [AS_OF, dt.date(2028, 2, 29), dt.date(2027, 2, 28), dt.date(2026, 12, 31)])
def test_model_gives_the_ways_of_the_reference(
    as_of: dt.date, warehouse: duckdb.DuckDBPyConnection, bundle: Bundle
) -> None:
    rng = random.Random(as_of.toordinal())
    families = {f"c{i}": [f"m{i // 2}", *([f"f{i // 2}"] if i % 3 else [])] for i in range(120)}
    for person, parents in families.items():
        child(warehouse, person, *parents)
    people = [*families, *{parent for parents in families.values() for parent in parents}]
    facts = []
    for _ in range(400):
        way = rng.choice(list(MONTHS_WITHOUT_END))
        day = rng.choice([as_of, minus_months(as_of, 12), minus_months(as_of, 24)])
        on = day + dt.timedelta(days=rng.choice([-400, -30, -1, 0, 1]))
        endings = [None, None, dt.date(1900, 1, 1), on - dt.timedelta(days=1), on, as_of, as_of + dt.timedelta(days=1)]
        facts.append(
            {
                "way": way,
                "person": rng.choice(people),
                "on": on,
                "ended": None if way in NEVER_ENDS else rng.choice(endings),
            }
        )
        fact(warehouse, **facts[-1])
    expected = {person: known_by(facts, person, parents, as_of) for person, parents in families.items()}
    assert ways(warehouse, bundle, as_of) == {person: known for person, known in expected.items() if known}


@pytest.mark.parametrize(
    ("way", "on", "ended", "is_known"),
    [
        ("council_case", dt.date(2010, 1, 1), None, True),
        ("council_case", dt.date(2025, 1, 1), dt.date(2026, 4, 1), False),
        ("council_case", dt.date(2025, 1, 1), dt.date(2026, 4, 2), True),
        ("council_case", dt.date(2025, 1, 1), dt.date(1970, 1, 1), True),
        ("council_case", dt.date(2026, 4, 2), None, False),
        ("child_consultation", dt.date(2025, 4, 2), None, True),
        ("child_consultation", dt.date(2025, 4, 1), None, False),
        ("guidance_reception", dt.date(2025, 4, 2), None, True),
        ("guidance_reception", dt.date(2025, 4, 1), None, False),
        ("temporary_protection", dt.date(2025, 4, 2), None, True),
        ("temporary_protection", dt.date(2025, 4, 1), None, False),
        ("temporary_protection", dt.date(2023, 4, 1), dt.date(2026, 4, 2), True),
        ("temporary_protection", dt.date(2026, 3, 1), dt.date(2026, 3, 20), False),
        ("temporary_protection", dt.date(2025, 5, 1), dt.date(1900, 1, 1), True),
        ("temporary_protection", dt.date(2024, 5, 1), dt.date(1900, 1, 1), False),
        ("guidance_measure", dt.date(2025, 4, 2), None, True),
        ("guidance_measure", dt.date(2025, 4, 1), None, False),
        ("meeting_support", dt.date(2020, 4, 1), None, True),
        ("meeting_support", dt.date(2020, 4, 1), dt.date(2026, 3, 31), False),
    ],
)
def test_fact_counts_until_its_end_or_for_its_months(
    way: str,
    on: dt.date,
    ended: dt.date | None,
    is_known: bool,
    warehouse: duckdb.DuckDBPyConnection,
    bundle: Bundle,
) -> None:
    child(warehouse, "c")
    fact(warehouse, way, "c", on, ended)
    assert ways(warehouse, bundle) == ({"c": {way: on}} if is_known else {})


def test_dv_consultation_is_that_of_a_parent_and_of_no_one_else(
    warehouse: duckdb.DuckDBPyConnection, bundle: Bundle
) -> None:
    child(warehouse, "of-mother", "m", "f")
    child(warehouse, "of-father", None, "m")
    child(warehouse, "other", "f", "g")
    fact(warehouse, "dv_consultation_of_parent", "m", dt.date(2026, 1, 5))
    fact(warehouse, "dv_consultation_of_parent", "other", dt.date(2026, 1, 5))
    day = {"dv_consultation_of_parent": dt.date(2026, 1, 5)}
    assert ways(warehouse, bundle) == {"of-mother": day, "of-father": day}


def test_support_recorded_before_birth_is_the_childs(warehouse: duckdb.DuckDBPyConnection, bundle: Bundle) -> None:
    child(warehouse, "born")
    warehouse.execute(
        "insert into warehouse.intermediate.int_person__identities "
        "values ('pregnancy_notifications', '77', 'born', true)"
    )
    fact(warehouse, "meeting_support", "preg-77", dt.date(2025, 1, 1))
    assert ways(warehouse, bundle) == {"born": {"meeting_support": dt.date(2025, 1, 1)}}


def test_unapproved_data_item_makes_no_child_known(warehouse: duckdb.DuckDBPyConnection, bundle: Bundle) -> None:
    child(warehouse, "c")
    fact(warehouse, "child_consultation", "c", dt.date(2026, 3, 1))
    warehouse.execute(
        "insert into warehouse.intermediate.int_observations__barred values ('determination', 'consultation')"
    )
    assert ways(warehouse, bundle) == {}
