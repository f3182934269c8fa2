"""状況確認 against a second computation, in plain Python, over a whole city and over a town made by hand."""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pytest

from kodomo import dbt_runner
from kodomo.home import Home
from tests.conftest import AS_OF, City

LIST_ON = dt.date(2026, 6, 1)
LATER = dt.date(2026, 7, 15)
REBUILT = (
    "int_person__register_states", "int_person__residents", "int_household__spells", "int_household__members_as_of",
    "int_person__persons", "int_person__subjects", "int_child__facilities", "int_child__sightings",
    "int_child__checkups", "int_child__status_checks", "int_child__profiles", "fct_arrival", "fct_status_check",
)  # fmt: skip
REBUILT_LATER = (
    "int_person__register_states", "int_person__residents", "int_person__persons", "int_person__subjects",
    "int_child__facilities", "int_child__sightings", "int_child__status_checks", "int_child__profiles",
    "int_child__leavings", "int_child__leaver_families", "int_child__once_protected", "fct_arrival", "fct_status_check",
    "fct_status_check_result", "bi_status_check", "bi_status_check_count",
)  # fmt: skip
SOURCES = ("newborn_visits", "infant_checkups", "nursery_enrolment", "school_enrolment")
LATE_AFTER = dt.timedelta(days=40)


def months_before(day: dt.date, months: int) -> dt.date:
    """The same day so many months earlier; the last of the month where there is none."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for number in range(day.day, 0, -1):
        try:
            return dt.date(year, month + 1, number)
        except ValueError:
            continue
    raise AssertionError(day)


def months_old(birth_on: dt.date, day: dt.date) -> int:
    return (day.year - birth_on.year) * 12 + day.month - birth_on.month - (day.day < birth_on.day)


def school_begins_on(birth_on: dt.date) -> dt.date:
    """The first of April after the day on which a person becomes six, which is the eve of the birthday."""
    eve = birth_on - dt.timedelta(days=1)
    six_on = (eve.year + 6, eve.month, eve.day)
    return dt.date(six_on[0] + (six_on[1:] >= (4, 1)), 4, 1)


def due(birth_on: dt.date, as_of: dt.date) -> Iterator[tuple[str, set[str], int, str]]:
    """Criterion, what will do, within how many months a sighting does, and the source, for each that is due."""
    age, begins_on = months_old(birth_on, as_of), school_begins_on(birth_on)
    if as_of >= begins_on:
        if as_of < begins_on.replace(year=begins_on.year + 6):
            yield "no_school", {"school"}, 12, "school_enrolment"
        return
    if age < 4:
        yield "checkup", set(), 0, ""
    elif age < 6:
        yield "checkup", {"newborn_visit"}, 4, "newborn_visits"
    elif age < 24:
        yield "checkup", {"month_3_4", "month_4"}, 4 if age < 12 else 6, "infant_checkups"
    else:
        yield "checkup", {"month_18"} if age < 48 else {"month_36"}, 12, "infant_checkups"
    if age >= 36:
        yield "no_nursery", {"nursery", "school"}, 12, "nursery_enrolment"


def expected_standings(connection: duckdb.DuckDBPyConnection, as_of: dt.date) -> dict[tuple[str, str], str]:
    """(child, criterion) → standing, by the words of the definition, from the typed records."""

    def rows(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    by_number = dict(rows("select atena_no, person_id from intermediate.int_person__atena"))
    by_pupil = dict(
        rows(
            "select source_key, person_id from intermediate.int_person__identities where source_id = 'school_enrolment'"
        )
    )
    has: dict[str | None, set[str]] = {}
    for number, kinds, day in rows(
        "select child_atena_no, checkup_type, attended_on from staging.stg_health__infant_checkups"
    ):
        if day and day <= as_of:
            has.setdefault(by_number.get(number), set()).update((kinds or "").split("|"))
    for person, day in rows(
        "select person_id, observed_on from intermediate.int_observations__all where observation_code = 'newborn_visit'"
    ):
        if day <= as_of:
            has.setdefault(person, set()).add("newborn_visit")
    for number, begun, ended in rows(
        "select child_atena_no, entered_on, left_on from staging.stg_child__nursery_enrolment"
    ):
        if begun and begun <= as_of and (ended is None or ended > as_of):
            has.setdefault(by_number.get(number), set()).add("nursery")
    for pupil, begun, ended in rows(
        "select school_person_no, enrolled_on, left_on from staging.stg_education__school_enrolment"
    ):
        if begun and begun <= as_of and (ended is None or ended > as_of):
            has.setdefault(by_pupil.get(pupil), set()).add("school")
    seen: dict[str, dt.date] = {}
    for person, day in rows("select person_id, seen_on from marts.fct_sighting"):
        seen[person] = max(seen.get(person, day), day)
    closed = {
        by_number.get(number)
        for number, day, result in rows(
            "select subject_no, checked_on, check_result from staging.stg_child__recorded_status_checks"
        )
        if months_before(as_of, 12) < day <= as_of and result not in ("searching", "untraced")
    }
    newcomers = {
        person
        for person, until, first in rows("select person_id, see_by_on, first_seen_on from marts.fct_arrival")
        if first is None and (until is None or until >= as_of)
    }
    delivered: dict[str, dt.date] = dict(
        rows("select source_id, max(delivered_on) from raw.deliveries where status = 'loaded' group by source_id")
    )
    standings = {}
    for person, birth_on in rows("select person_id, birth_on from marts.dim_child where not is_unborn"):
        for criterion, kinds, months, source in due(birth_on, as_of):
            if not kinds:
                standing = "not_due"
            elif kinds & has.get(person, set()):
                standing = "as_expected"
            elif person in seen and seen[person] > months_before(as_of, months):
                standing = "seen"
            elif person in closed:
                standing = "checked"
            elif person in newcomers:
                standing = "arrived"
            elif source not in delivered or as_of >= delivered[source] + LATE_AFTER:
                standing = "source_missing"
            else:
                standing = "candidate"
            standings[person, criterion] = standing
    return standings


def held_standings(connection: duckdb.DuckDBPyConnection, as_of: dt.date) -> dict[tuple[str, str], str]:
    """The same as the mart has it."""
    rows = connection.execute(
        "select person_id, criterion, standing from marts.fct_status_check where as_of_on = ?", [as_of]
    ).fetchall()
    return {(person, criterion): standing for person, criterion, standing in rows}


def test_standings_of_a_city_are_those_of_a_second_computation(city: City) -> None:
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        expected = expected_standings(connection, AS_OF)
        assert held_standings(connection, AS_OF) == expected
        kinds = Counter(expected.values())
        assert kinds["candidate"] > 3
        assert kinds["seen"] > 3
        assert kinds["as_expected"] > 100
        # Each child up to the end of primary school counts once, in the mart and in the return.
        [(main,)] = connection.execute("select count(*) from marts.fct_status_check where is_main").fetchall()
        [(counted, doubles)] = connection.execute(
            "select sum(children), max(length(list_kind)) from marts.bi_status_check_count where list_kind = 'now'"
        ).fetchall()
        assert main == counted == len({person for person, _ in expected})
        assert doubles
        listed = connection.execute("select count(*) from marts.bi_status_check where list_kind = 'now'").fetchall()
        assert listed == [(sum(standing not in ("as_expected", "not_due") for standing in expected.values()),)]


@dataclass
class Town:
    """Children of the city with a part each, and the warehouse after the list and after what came of it."""

    parts: dict[str, str]
    connection: duckdb.DuckDBPyConnection

    def row(self, table: str, part: str, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Columns of the rows of a part, in the order of their criterion."""
        query = f"select {columns} from marts.{table} where person_id = ? and {where} order by criterion"
        return self.connection.execute(query, [self.parts[part]]).fetchall()


D = dt.date
# Part → birth, and the standings that follow, by criterion in the order of their names.
PARTS: dict[str, tuple[dt.date, dict[str, str]]] = {
    "newborn_not_due": (D(2026, 2, 2), {"checkup": "not_due"}),
    "newborn_unvisited": (D(2026, 2, 1), {"checkup": "candidate"}),
    "newborn_visited": (D(2026, 2, 1), {"checkup": "as_expected"}),
    "no_month_4": (D(2025, 12, 1), {"checkup": "candidate"}),
    "month_4": (D(2025, 12, 1), {"checkup": "as_expected"}),
    "no_month_18": (D(2024, 6, 1), {"checkup": "candidate"}),
    "month_18_goes_on": (D(2024, 6, 2), {"checkup": "as_expected"}),
    "seen_within_a_year": (D(2024, 6, 1), {"checkup": "seen"}),
    "seen_a_year_ago": (D(2024, 6, 1), {"checkup": "candidate"}),
    "no_month_36": (D(2022, 6, 1), {"checkup": "candidate", "no_nursery": "as_expected"}),
    "month_36_goes_on": (D(2022, 6, 2), {"checkup": "as_expected", "no_nursery": "as_expected"}),
    "no_nursery": (D(2023, 6, 1), {"checkup": "as_expected", "no_nursery": "candidate"}),
    "two_years_old": (D(2023, 6, 2), {"checkup": "as_expected"}),
    "left_nursery": (D(2023, 6, 1), {"checkup": "as_expected", "no_nursery": "candidate"}),
    "leaves_nursery": (D(2023, 6, 1), {"checkup": "as_expected", "no_nursery": "as_expected"}),
    "in_kindergarten": (D(2023, 6, 1), {"checkup": "as_expected", "no_nursery": "as_expected"}),
    "neither": (D(2021, 6, 1), {"checkup": "candidate", "no_nursery": "candidate"}),
    "no_school": (D(2020, 4, 1), {"no_school": "candidate"}),
    "begins_next_year": (D(2020, 4, 2), {"checkup": "candidate", "no_nursery": "candidate"}),
    "in_school": (D(2020, 4, 1), {"no_school": "as_expected"}),
    "last_year_of_school": (D(2014, 4, 2), {"no_school": "candidate"}),
    "done_with_school": (D(2014, 4, 1), {}),
    "came": (D(2022, 6, 2), {"checkup": "arrived", "no_nursery": "arrived"}),
    "came_a_while_ago": (D(2022, 6, 2), {"checkup": "candidate", "no_nursery": "candidate"}),
    "checked": (D(2024, 6, 1), {"checkup": "checked"}),
    "checked_a_year_ago": (D(2024, 6, 1), {"checkup": "candidate"}),
    "being_searched": (D(2024, 6, 1), {"checkup": "candidate"}),
}
CHECKUPS = {
    "month_4": "month_4", "no_month_18": "month_4", "month_18_goes_on": "month_4", "no_month_36": "month_18",
    "month_36_goes_on": "month_18", "no_nursery": "month_18", "two_years_old": "month_18", "left_nursery": "month_18",
    "leaves_nursery": "month_18", "in_kindergarten": "month_18",
}  # fmt: skip
# Facts of which the first is a sighting on the day that matters, and the second on the day before.
SEEN = {"seen_within_a_year": D(2025, 6, 2), "seen_a_year_ago": D(2025, 6, 1)}
RECORDS = {
    "checked": [(D(2025, 6, 2), "departed")],
    "checked_a_year_ago": [(D(2025, 6, 1), "departed")],
    "being_searched": [(D(2026, 5, 30), "searching")],
}
# Part → what was recorded after the list, and what came of it: result, day, whether staff recorded it, still open.
RECORDS_LATER = {
    "no_month_18": [(D(2026, 6, 10), "elsewhere")],
    "seen_a_year_ago": [(D(2026, 6, 2), "searching")],
    "no_month_36": [(D(2026, 6, 3), "departed"), (D(2026, 6, 4), "untraced")],
    "checked_a_year_ago": [(D(2026, 6, 1), "placed")],
    "neither": [(D(2026, 7, 16), "departed")],
}
RESULTS = {
    "no_month_18": ("elsewhere", D(2026, 6, 10), True, False),
    "seen_a_year_ago": ("searching", D(2026, 6, 2), True, True),
    "no_month_36": ("untraced", D(2026, 6, 4), True, True),
    "checked_a_year_ago": ("placed", D(2026, 6, 1), True, False),
    "no_nursery": ("seen", D(2026, 6, 20), False, False),
    "no_school": ("moved", D(2026, 6, 15), False, False),
    # Nothing came of these: a record after the batch, one from before the list, a move before it would be none of it.
    "neither": (None, None, False, True),
    "being_searched": (None, None, False, True),
    "newborn_unvisited": (None, None, False, True),
}


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The city on 1 June, each criterion met once and once nearly; and six weeks later."""
    home = Home(tmp_path_factory.mktemp("town")).ensure()
    shutil.copy(city.warehouse, home.warehouse)
    with duckdb.connect(str(home.warehouse)) as connection:
        parts = _choose(connection)
        _deliver(connection, parts)
    dbt_runner.invoke(home, ["run", "--select", *REBUILT])
    with duckdb.connect(str(home.warehouse)) as connection:
        _deliver_later(connection, parts)
    dbt_runner.invoke(home, ["run", "--select", *REBUILT_LATER])
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        yield Town(parts, connection)


def _choose(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """A child for each part, with nothing on file: under one number, seen nowhere, enrolled nowhere."""
    free = connection.execute(
        """
        select children.person_id
        from marts.dim_child as children
        where not children.is_unborn and not children.is_dv_protected and children.age_months between 24 and 200
            and children.person_id in (
                select person_id from intermediate.int_person__atena group by person_id having count(*) = 1
            )
            and children.person_id not in (select person_id from intermediate.int_person__support_measures)
        order by children.person_id
        """
    ).fetchall()
    parts = dict(zip(PARTS, (person for (person,) in free), strict=False))
    assert parts.keys() == PARTS.keys()
    people = list(parts.values())
    for table, column in (
        ("intermediate.int_observations__all", "person_id"),
        ("intermediate.int_person__identities", "person_id"),
        ("staging.stg_health__infant_checkups", "child_atena_no"),
        ("staging.stg_child__nursery_enrolment", "child_atena_no"),
    ):
        connection.execute(f"delete from {table} where list_contains(?, {column})", [people])
    return parts


def _insert(connection: duckdb.DuckDBPyConnection, table: str, **values: Any) -> None:
    values = {"delivery_id": "test", **values}
    names = ", ".join(f"? as {name}" for name in values)
    connection.execute(f"insert into {table} by name select {names}", list(values.values()))


def _record(connection: duckdb.DuckDBPyConnection, parts: dict[str, str], records: dict[str, Any], base: int) -> None:
    flat = [(part, *record) for part, own in records.items() for record in own]
    for number, (part, day, result) in enumerate(flat, start=base):
        _insert(
            connection, "staging.stg_child__recorded_status_checks", record_no=f"r{number}", subject_no=parts[part],
            checked_on=day, check_result=result, line_number=number,
        )  # fmt: skip


def _observe(connection: duckdb.DuckDBPyConnection, person: str, code: str, day: dt.date) -> None:
    _insert(
        connection, "intermediate.int_observations__all", person_id=person, observation_code=code, observed_on=day,
        source_id="vaccinations", line_number=1,
    )  # fmt: skip


def _deliver(connection: duckdb.DuckDBPyConnection, parts: dict[str, str]) -> None:
    register = "staging.stg_citizens__resident_register"
    for part, (birth_on, _) in PARTS.items():
        since = {"came": D(2026, 5, 20), "came_a_while_ago": D(2026, 4, 20)}.get(part, birth_on)
        connection.execute(
            f"update {register} set birth_on = ?, resident_since_on = ? where atena_no = ?",
            [birth_on, since, parts[part]],
        )
    for number, (part, kind) in enumerate(CHECKUPS.items()):
        _insert(
            connection, "staging.stg_health__infant_checkups", child_atena_no=parts[part], checkup_type=kind,
            attended_on=min(LIST_ON, PARTS[part][0] + dt.timedelta(days=150)), line_number=900_000 + number,
        )  # fmt: skip
    _observe(connection, parts["newborn_visited"], "newborn_visit", D(2026, 2, 20))
    for part, day in SEEN.items():
        _observe(connection, parts[part], "vaccination", day)
    for number, (part, left_on) in enumerate(
        (("no_month_36", None), ("month_36_goes_on", None), ("left_nursery", LIST_ON),
         ("leaves_nursery", LIST_ON + dt.timedelta(days=1)))
    ):  # fmt: skip
        _insert(
            connection, "staging.stg_child__nursery_enrolment", child_atena_no=parts[part], facility_name="園",
            entered_on=D(2026, 4, 1), left_on=left_on, line_number=900_000 + number,
        )  # fmt: skip
    for number, (part, name) in enumerate((("in_school", "小学校"), ("in_kindergarten", "幼稚園"))):
        _insert(
            connection, "staging.stg_education__school_enrolment", school_person_no=f"t{number}", school_name=name,
            enrolled_on=D(2026, 4, 1), line_number=900_000 + number,
        )  # fmt: skip
        connection.execute(
            "insert into intermediate.int_person__identities by name select 'school_enrolment' as source_id, "
            "? as source_key, ? as person_id",
            [f"t{number}", parts[part]],
        )
    _record(connection, parts, RECORDS, 900_000)
    connection.execute("update raw.deliveries set delivered_on = ? where list_contains(?, source_id)",
                       [LIST_ON, list(SOURCES)])  # fmt: skip
    connection.execute("update raw.run_parameters set as_of_on = ?", [LIST_ON])


def _deliver_later(connection: duckdb.DuckDBPyConnection, parts: dict[str, str]) -> None:
    _record(connection, parts, RECORDS_LATER, 910_000)
    _observe(connection, parts["no_nursery"], "vaccination", D(2026, 6, 20))
    # On the day of the list itself a sighting would have left the child out.
    connection.execute(
        "update staging.stg_citizens__resident_register set resident_status_code = '2', moved_on = ? "
        "where atena_no = ?",
        [D(2026, 6, 15), parts["no_school"]],
    )
    connection.execute("delete from marts.bi_child where person_id = ?", [parts["no_school"]])
    connection.execute("update raw.run_parameters set as_of_on = ?", [LATER])


def test_each_criterion_is_met_once_and_once_nearly(town: Town) -> None:
    held = {
        part: dict(town.row("fct_status_check", part, "criterion, standing", f"as_of_on = date '{LIST_ON}'"))
        for part in PARTS
    }
    assert held == {part: standings for part, (_, standings) in PARTS.items()}


def test_child_of_two_criteria_counts_once_where_it_has_to_be_looked_for(town: Town) -> None:
    on_list = f"as_of_on = date '{LIST_ON}' and is_main"
    for part, criterion in (("neither", "checkup"), ("no_nursery", "no_nursery"), ("no_month_36", "checkup")):
        assert town.row("fct_status_check", part, "criterion", on_list) == [(criterion,)], part


def test_list_of_the_year_is_kept_with_what_came_of_it(town: Town) -> None:
    held = {
        part: set(town.row(
            "fct_status_check_result", part, "result, result_on, is_recorded, is_open",
            "list_kind = 'this_year' and standing = 'candidate'",
        ))
        for part in RESULTS
    }  # fmt: skip
    assert held == {part: {result} for part, result in RESULTS.items()}


def test_lists_are_the_first_batch_from_june_on_of_this_year_and_last_year(town: Town) -> None:
    lists = town.connection.execute(
        "select distinct list_kind, list_on from marts.fct_status_check_result order by list_kind"
    ).fetchall()
    assert lists == [("last_year", AS_OF), ("now", LATER), ("this_year", LIST_ON)]


def test_late_source_leaves_its_children_out_and_says_so(town: Town) -> None:
    standing = dict(town.row("fct_status_check", "neither", "criterion, standing", f"as_of_on = date '{LATER}'"))
    assert standing == {"checkup": "source_missing", "no_nursery": "source_missing"}
    # One that was recorded to be seen to is left out for that.
    checked = town.row("fct_status_check", "no_month_18", "standing", f"as_of_on = date '{LATER}'")
    assert checked == [("checked",)]


def test_child_that_left_since_stays_on_the_list_of_the_year(town: Town) -> None:
    [row] = town.row(
        "bi_status_check", "no_school", "is_child_now, result_label, departments, school_name, is_dv_protected",
        "list_kind = 'this_year'",
    )  # fmt: skip
    assert row == (False, "転出・転居先を確認した", "|child|education|", "（在籍なし）", False)


def test_return_counts_every_child_of_each_list_once(town: Town) -> None:
    rows = town.connection.execute(
        "select list_kind, sum(children) from marts.bi_status_check_count group by list_kind order by list_kind"
    ).fetchall()
    people = town.connection.execute(
        "select list_kind, count(distinct person_id) from marts.fct_status_check_result group by list_kind "
        "order by list_kind"
    ).fetchall()
    assert rows == people


def test_lists_of_the_town_are_those_of_a_second_computation(town: Town) -> None:
    assert held_standings(town.connection, LATER) == expected_standings(town.connection, LATER)
