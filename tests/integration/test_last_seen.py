"""最終確認 against a second computation, in plain Python, over a whole city."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from kodomo.seeds import read_seed
from tests.conftest import AS_OF, City

Sighting = tuple[str, dt.date, str, str]
"""Person, day, kind, department."""


@pytest.fixture(scope="module")
def warehouse(city: City) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse of the city, read-only."""
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        yield connection


def last_of_month(day: dt.date) -> dt.date:
    return (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)


def eighteenth_birthday(birth_on: dt.date) -> dt.date:
    try:
        return birth_on.replace(year=birth_on.year + 18)
    except ValueError:
        return dt.date(birth_on.year + 18, 2, 28)


def expected_sightings(connection: duckdb.DuckDBPyConnection, as_of: dt.date) -> set[Sighting]:
    """Every sighting that the typed records hold, by the words of the definition."""

    def rows(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    by_number = dict(rows("select atena_no, person_id from intermediate.int_person__atena"))
    by_pupil = dict(rows("select school_person_no, person_id from intermediate.int_person__pupil_numbers"))
    by_case = dict(
        rows(
            "select source_key, person_id from intermediate.int_person__identities "
            "where source_id = 'guidance_centre_cases'"
        )
    )
    births = dict(rows("select person_id, birth_on from intermediate.int_person__persons"))
    seen: list[tuple[str | None, dt.date | None, str, str]] = []
    for pupil, number, month, days, absent in rows(
        "select school_person_no, atena_no, attendance_month, school_days, absent_days "
        "from staging.stg_education__school_attendance"
    ):
        if None not in (days, absent, month) and days - absent >= 1:
            person = by_number.get(number) or by_pupil.get(pupil)
            seen.append((person, last_of_month(month), "school_attendance", "education"))
    for number, month, days, absent in rows(
        "select child_atena_no, attendance_month, enrolled_days, absent_days from staging.stg_child__nursery_attendance"
    ):
        if None not in (days, absent, month) and days - absent >= 1:
            seen.append((by_number.get(number), last_of_month(month), "nursery_attendance", "child"))
    for number, day in rows("select child_atena_no, attended_on from staging.stg_health__infant_checkups"):
        seen.append((by_number.get(number), day, "infant_checkup", "health"))
    for number, day in rows("select atena_no, vaccinated_on from staging.stg_health__vaccinations"):
        seen.append((by_number.get(number), day, "vaccination", "health"))
    for number, day, refused in rows(
        "select child_atena_no, visited_on, is_visit_refused from staging.stg_health__newborn_visits"
    ):
        if not refused:
            seen.append((by_number.get(number), day, "newborn_visit", "health"))
    for pupil, number, year, teeth, height, weight in rows(
        "select school_person_no, atena_no, fiscal_year, untreated_decayed_teeth, height_cm, weight_kg "
        "from staging.stg_education__school_checkups"
    ):
        if teeth is not None or (height is not None and height > 50 and weight is not None):
            person = by_number.get(number) or by_pupil.get(pupil)
            seen.append((person, dt.date(year, 6, 30), "school_checkup", "education"))
    for number, day, route in rows(
        "select child_atena_no, received_on, consultation_route from staging.stg_child__child_consultations"
    ):
        if "child" in (route or "").split("|") and not {"telephone", "letter"} & set((route or "").split("|")):
            seen.append((by_number.get(number), day, "consultation", "child"))
    for case, day in rows(
        "select centre_case_no, protection_started_on from staging.stg_guidance_centre__guidance_centre_cases"
    ):
        seen.append((by_case.get(case), day, "temporary_protection", "guidance_centre"))
    return {
        (person, day, kind, holder)
        for person, day, kind, holder in seen
        if person is not None
        and day is not None
        and day <= as_of
        and (births.get(person) is None or births[person] <= day < eighteenth_birthday(births[person]))
    }


def expected_limit(tier: str | None, age_months: int) -> int | None:
    """The days of the first rule that fits."""
    for rule in sorted(read_seed("sighting_limits"), key=lambda rule: rule["rule_no"]):
        low, high = rule["age_from_months"], rule["age_to_months"]
        fits = (low is None or low <= age_months) and (high is None or age_months < high)
        if fits and rule["tier"] in (None, "", tier):
            return int(rule["limit_days"])
    return None


def differences(connection: duckdb.DuckDBPyConnection, as_of: dt.date) -> dict[str, Any]:
    """Where the marts and the second computation disagree, with what they have in common counted."""
    expected = expected_sightings(connection, as_of)
    held = set(connection.execute("select person_id, seen_on, kind, holder from marts.fct_sighting").fetchall())
    newest: dict[str, dt.date] = {}
    for person, day, _, _ in expected:
        newest[person] = max(newest.get(person, day), day)
    wrong, overdue = [], 0
    for person, age, birth_on, last, by, kind, tier, days, is_overdue in connection.execute(
        "select person_id, age_months, birth_on, children.last_seen_on, children.last_seen_by, "
        "children.last_seen_kind, tier, limit_days, is_overdue "
        "from marts.dim_child as children join marts.fct_sighting_due using (person_id)"
    ).fetchall():
        limit = expected_limit(tier, age)
        since = newest.get(person) or birth_on
        late = limit is not None and (since is None or (as_of - since).days > limit)
        is_one = last is None or (person, last, kind, by) in expected
        if (last, days, is_overdue, is_one) != (newest.get(person), limit, late, True):
            wrong.append(person)
        overdue += late
    return {
        "missing": expected - held,
        "surplus": held - expected,
        "wrong": wrong,
        "overdue": overdue,
        "all": len(held),
    }


def test_sightings_and_overdue_children_are_those_of_a_second_computation(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = differences(warehouse, AS_OF)
    assert not found["missing"]
    assert not found["surplus"]
    assert not found["wrong"]
    assert found["all"] > 1000
    assert found["overdue"] > 0


def test_no_child_before_birth_is_expected_to_be_seen(warehouse: duckdb.DuckDBPyConnection) -> None:
    [(unborn, due)] = warehouse.execute(
        "select count(*) filter (where is_unborn), count(due.person_id) filter (where is_unborn) "
        "from marts.dim_child left join marts.fct_sighting_due as due using (person_id)"
    ).fetchall()
    assert (unborn > 0, due) == (True, 0)


def test_only_a_child_before_birth_is_labelled_as_one(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        "select is_unborn, bool_or(is_sighting_overdue), count(*) filter (where starts_with(age_label, '出生前')) "
        "= if(is_unborn, count(*), 0) from marts.bi_child group by is_unborn order by is_unborn"
    ).fetchall()
    assert rows == [(False, True, True), (True, False, True)]
