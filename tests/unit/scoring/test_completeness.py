"""Completeness, and what is unanswered by source, against a second implementation of scoring.md."""

from __future__ import annotations

import csv
import datetime as dt
import random
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from kodomo.contract import load_contracts
from kodomo.home import PROJECT, Home
from kodomo.scoring.definition import Definition, column_types
from kodomo.scoring.engine import SCORING_MODELS, Bundle, load_bundle, memory_warehouse
from kodomo.scoring.score import load_definition, set_as_of
from tests.unit.scoring.reference import applies, completed_months, concerns, minus_months, obstacle

AS_OF = [dt.date(2026, 4, 1), dt.date(2026, 3, 31), dt.date(2028, 2, 29)]
MODELS = (
    *SCORING_MODELS,
    "int_risk__item_sources",
    "int_risk__roster_members",
    "int_risk__unanswered",
    "fct_unanswered",
)
MODEL = ("v1", "abuse")
CODES = PROJECT / "seeds" / "observation_codes.csv"
TABLES = f"""
create table warehouse.seeds.observation_codes as select * from read_csv('{CODES}', all_varchar = true);
create table warehouse.raw.deliveries (source_id varchar, delivered_on date, status varchar, kind varchar);
create table warehouse.intermediate.int_risk__subjects (person_id varchar, age_months integer);
create table warehouse.intermediate.int_risk__scope_members (person_id varchar, scope varchar, member_id varchar);
create table warehouse.intermediate.int_child__profiles (person_id varchar, birth_on date);
create table warehouse.intermediate.int_observations__all (
    person_id varchar, observation_code varchar, observed_on date, ended_on date, value decimal(18, 4),
    text_value varchar, source_id varchar, delivery_id varchar, line_number integer
);
create table warehouse.staging.stg_citizens__household_history (atena_no varchar, valid_from date, valid_to date);
create table warehouse.intermediate.int_person__atena (atena_no varchar, person_id varchar);
create table warehouse.intermediate.int_observations__barred (purpose varchar, observation_code varchar);
create table warehouse.intermediate.int_chain__values (
    person_id varchar, chain_type varchar, value integer, evidence varchar
);
"""


def sources_of_codes() -> dict[str, str]:
    """Observation code → source."""
    with CODES.open(encoding="utf-8", newline="") as file:
        return {row["observation_code"]: row["source_id"] for row in csv.DictReader(file)}


def roster_codes(source: str) -> set[str]:
    """The observations that say that a child is on the roster of a source."""
    contract = load_contracts()[source]
    return set(contract.roster.observations) or {code for code, of in sources_of_codes().items() if of == source}


@pytest.fixture(scope="module")
def bundle(home: Home) -> Bundle:
    """The compiled models."""
    return load_bundle(home.ensure(), MODELS)


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """What the models read, empty but for the codes."""
    connection = memory_warehouse()
    connection.execute(TABLES)
    yield connection
    connection.close()


def definition_of(codes: dict[str, tuple[int | None, int | None]], targets: list[tuple] = ()) -> Definition:
    """One item of the child's own for each observation code, in one version and type; ``targets``: its ages."""
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in column_types()}
    for code, (low, high) in codes.items():
        rows["risk_items"].append(
            {
                "item_code": f"i_{code}",
                "kind": "observation",
                "observation_code": code,
                "scope": "self",
                "aggregate": "any",
                "age_from_months": low,
                "age_to_months": high,
            }
        )
        rows["risk_bands"].append({"item_code": f"i_{code}", "band_no": 1, "lower": Decimal(1), "when_missing": False})
        rows["risk_coefficients"].append(
            dict(zip(column_types()["risk_coefficients"], (*MODEL, f"i_{code}", 1, Decimal(1)), strict=True))
        )
    rows["risk_tiers"].append(
        {"model_version": "v1", "difficulty_type": "abuse", "tier": "low", "tier_rank": 1, "min_score": None}
    )
    rows["risk_model_versions"].append({"model_version": "v1", "status": "active"})
    rows["risk_targets"] = [dict(zip(column_types()["risk_targets"], (*MODEL, *ages), strict=True)) for ages in targets]
    return Definition(rows)


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    """Rows into a table of the in-memory warehouse."""
    if rows:
        connection.register("given", pa.Table.from_pylist(rows))
        connection.execute(f"insert into warehouse.{table} by name select * from given")
        connection.unregister("given")


def child(connection: duckdb.DuckDBPyConnection, person: str, birth: dt.date, as_of: dt.date) -> int:
    """A child who is born or due on a day; its age in months."""
    age = completed_months(birth, as_of) if birth <= as_of else -1 - completed_months(as_of, birth)
    insert(connection, "intermediate.int_risk__subjects", [{"person_id": person, "age_months": age}])
    insert(
        connection, "intermediate.int_child__profiles", [{"person_id": person, "birth_on": birth if age >= 0 else None}]
    )
    insert(
        connection,
        "intermediate.int_risk__scope_members",
        [{"person_id": person, "scope": "self", "member_id": person}],
    )
    insert(connection, "intermediate.int_person__atena", [{"atena_no": f"n{person}", "person_id": person}])
    return age


def observed(
    connection: duckdb.DuckDBPyConnection, person: str, code: str, on: dt.date, ended: dt.date | None = None
) -> None:
    """An observation of a code, from its own source."""
    row = {"person_id": person, "observation_code": code, "observed_on": on, "ended_on": ended}
    insert(
        connection,
        "intermediate.int_observations__all",
        [{**row, "source_id": sources_of_codes()[code], "line_number": 1}],
    )


def delivered(connection: duckdb.DuckDBPyConnection, source: str, on: dt.date, **columns: str) -> None:
    """A delivery that was loaded."""
    row = {"source_id": source, "delivered_on": on, "status": "loaded", "kind": "full"}
    insert(connection, "raw.deliveries", [{**row, **columns}])


def built(
    connection: duckdb.DuckDBPyConnection, bundle: Bundle, definition: Definition, as_of: dt.date
) -> tuple[dict[str, Decimal | None], dict[tuple[str, str], tuple[str, str, int]]]:
    """Person → completeness, and (person, source) → reason code, reason and number of items."""
    set_as_of(connection, as_of)
    load_definition(connection, definition)
    bundle.execute(connection)
    completeness = dict(
        connection.execute("select person_id, completeness from warehouse.intermediate.int_risk__scores").fetchall()
    )
    unanswered = {
        (person, source): tuple(rest)
        for person, source, *rest in connection.execute(
            "select person_id, source_id, reason_code, reason, items from warehouse.marts.fct_unanswered"
        ).fetchall()
    }
    return completeness, unanswered


@pytest.mark.slow
@pytest.mark.parametrize("as_of", AS_OF)
def test_completeness_and_reasons_are_those_of_the_reference(
    as_of: dt.date, warehouse: duckdb.DuckDBPyConnection, bundle: Bundle
) -> None:
    rng = random.Random(as_of.toordinal())
    contracts, sources = load_contracts(), sources_of_codes()
    codes = {
        code: (rng.choice([None, None, 0, 36]), rng.choice([None, None, 84, 200]))
        for code in rng.sample(sorted(sources), 40)
    }
    barred = rng.choice(sorted(codes))
    insert(
        warehouse,
        "intermediate.int_observations__barred",
        [{"purpose": "determination", "observation_code": barred}, {"purpose": "bi", "observation_code": "divorce"}],
    )
    last: dict[str, dt.date | None] = {}
    for source in sorted(set(sources.values())):
        late = contracts[source].late_after_days or 0
        days = rng.choice([None, -3, 0, late - 1, late - 1, late, late + 30])
        last[source] = None if days is None else as_of - dt.timedelta(days=days)
        if last[source] is not None:
            delivered(warehouse, source, last[source])
            delivered(warehouse, source, last[source] - dt.timedelta(days=10), kind="delta")
        # Neither is a delivery of the holder.
        delivered(warehouse, source, as_of, status="held")
        delivered(warehouse, source, as_of, kind="entry")
    births = {f"c{i}": as_of - dt.timedelta(days=rng.randrange(-200, 6500)) for i in range(40)}
    births |= {"a1": dt.date(as_of.year - 6, 4, 1), "a2": dt.date(as_of.year - 6, 4, 2), "b1": as_of}
    facts = []
    for person in births:
        for code in rng.sample(sorted(sources), 25):
            edge = rng.choice([as_of, minus_months(as_of, 3), minus_months(as_of, 15), minus_months(as_of, 36)])
            on = edge + dt.timedelta(days=rng.choice([-40, -1, 0, 1]))
            ended = rng.choice([None, None, as_of, as_of + dt.timedelta(days=1), as_of - dt.timedelta(days=9)])
            facts.append({"person": person, "code": code, "on": on, "ended": ended})
            observed(warehouse, person, code, on, ended)
    ages = {person: child(warehouse, person, birth, as_of) for person, birth in births.items()}
    spells = {}
    for person in births:
        start = as_of - dt.timedelta(days=rng.choice([-1, 0, 500]))
        end = rng.choice([None, as_of, as_of + dt.timedelta(days=1)])
        spells[person] = {"on": start, "ended": end}
        insert(
            warehouse,
            "staging.stg_citizens__household_history",
            [{"atena_no": f"n{person}", "valid_from": start, "valid_to": end}],
        )
    targets = [(None, 150), (170, None)]
    completeness, unanswered = built(warehouse, bundle, definition_of(codes, targets), as_of)

    expected_completeness, expected_reasons = {}, {}
    for person, age in ages.items():
        if not concerns([{"age_from_months": low, "age_to_months": high} for low, high in targets], age):
            continue
        applicable = [
            code for code, (low, high) in codes.items() if applies({"age_from_months": low, "age_to_months": high}, age)
        ]
        open_items = 0
        for code in applicable:
            source = sources[code]
            if source == "resident_register":
                rows = [{"on": as_of, "ended": None}] if age >= 0 else []
            elif source == "household_history":
                rows = [spells[person]]
            else:
                rows = [
                    fact
                    for fact in facts
                    if fact["person"] == person
                    and sources[fact["code"]] == source
                    and contracts[source].roster is not None
                    and fact["code"] in roster_codes(source)
                ]
            reason = (
                "not_approved"
                if code == barred
                else obstacle(contracts[source], last[source], rows, births[person] if age >= 0 else None, age, as_of)
            )
            if reason is not None:
                open_items += 1
                key = (person, source, reason)
                expected_reasons[key] = expected_reasons.get(key, 0) + 1
        share = Decimal(len(applicable) - open_items) / len(applicable) if applicable else None
        expected_completeness[person] = share if share is None else share.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    assert completeness == expected_completeness
    reasons = {
        (person, source, reason): items
        for person, source, reason, items in warehouse.execute(
            "select person_id, source_id, reason_code, items from warehouse.marts.fct_unanswered"
        ).fetchall()
    }
    assert reasons == expected_reasons
    assert len(unanswered) > 50


SCHOOL = {"school_enrolment": (None, None)}


@pytest.mark.parametrize(
    ("birth", "is_asked"),
    [
        (dt.date(2019, 4, 1), True),
        (dt.date(2019, 4, 2), True),
        (dt.date(2020, 4, 1), True),
        (dt.date(2020, 4, 2), False),
        (dt.date(2011, 4, 2), True),
        (dt.date(2011, 4, 1), False),
    ],
)
def test_school_register_answers_for_the_school_year_of_a_child(
    birth: dt.date, is_asked: bool, warehouse: duckdb.DuckDBPyConnection, bundle: Bundle
) -> None:
    as_of = dt.date(2026, 4, 1)
    child(warehouse, "c", birth, as_of)
    delivered(warehouse, "school_enrolment", as_of)
    completeness, unanswered = built(warehouse, bundle, definition_of(SCHOOL), as_of)
    assert completeness == {"c": Decimal(0) if is_asked else Decimal(1)}
    assert [reason for _, reason, _ in unanswered.values()] == (["学齢簿に見当たらない"] if is_asked else [])


@pytest.mark.parametrize(
    ("code", "delivered_on", "reason"),
    [
        ("consultation", dt.date(2026, 3, 31), None),
        ("consultation", dt.date(2026, 2, 20), "子ども相談センターの相談受付の納品が遅れている"),
        ("consultation", None, "子ども相談センターの相談受付の納品がない"),
        ("checkup_attended", dt.date(2026, 2, 20), "乳幼児健診の納品が遅れている"),
        ("checkup_attended", dt.date(2026, 3, 31), "乳幼児健診の記録に見当たらない"),
    ],
)
def test_reason_names_the_source_and_what_is_wrong_with_it(
    code: str,
    delivered_on: dt.date | None,
    reason: str | None,
    warehouse: duckdb.DuckDBPyConnection,
    bundle: Bundle,
) -> None:
    as_of = dt.date(2026, 4, 1)
    child(warehouse, "c", dt.date(2024, 1, 1), as_of)
    if delivered_on is not None:
        delivered(warehouse, sources_of_codes()[code], delivered_on)
    completeness, unanswered = built(warehouse, bundle, definition_of({code: (None, None)}), as_of)
    assert [answer for _, answer, _ in unanswered.values()] == ([] if reason is None else [reason])
    assert completeness == {"c": Decimal(int(reason is None))}


def test_child_who_is_not_born_belongs_on_no_register(warehouse: duckdb.DuckDBPyConnection, bundle: Bundle) -> None:
    as_of = dt.date(2026, 4, 1)
    child(warehouse, "c", dt.date(2026, 8, 1), as_of)
    codes = dict.fromkeys(("household_move", "child_allowance", "nursery_enrolment", "vaccination"), (None, None))
    completeness, unanswered = built(warehouse, bundle, definition_of(codes), as_of)
    assert (completeness, unanswered) == ({"c": Decimal(1)}, {})
