"""給付の案内漏れ against a second computation, in plain Python, over a whole city and over a town made by hand."""

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
from tests.integration.test_status_checks import months_before, school_begins_on

REBUILT = (
    "int_person__register_states", "int_person__residents", "int_person__persons", "int_person__subjects",
    "int_child__profiles", "int_child__benefit_conditions", "int_child__benefits", "int_child__benefit_checks",
    "dim_household", "fct_unclaimed_benefit",
)  # fmt: skip
LISTS = ("child_allowance", "child_rearing_allowance", "school_aid")
LATE_AFTER = dt.timedelta(days=40)


def expected_unclaimed(connection: duckdb.DuckDBPyConnection, as_of: dt.date) -> dict[tuple[str, str], str]:
    """(child, benefit) → standing, by the words of the rules, from people, families and typed records."""

    def rows(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    numbers = dict(rows("select atena_no, person_id from intermediate.int_person__atena"))
    pupils = dict(rows("select school_person_no, person_id from intermediate.int_person__pupil_numbers"))
    on_file: dict[str, set[str | None]] = {benefit: set() for benefit in LISTS}
    for benefit in LISTS[:2]:
        for number, begun, ended in rows(
            f"select child_atena_no, certified_on, disqualified_on from staging.stg_child__{benefit}"
        ):
            if begun and begun <= as_of and (ended is None or ended > as_of):
                on_file[benefit].add(numbers.get(number))
    first_year = as_of.year - (as_of.month <= 6)
    for number, pupil, year in rows(
        "select atena_no, school_person_no, fiscal_year from staging.stg_education__school_aid"
    ):
        if year is not None and year >= first_year:
            on_file["school_aid"].add(numbers.get(number) or pupils.get(pupil))
    home = dict(rows("select person_id, household_id from intermediate.int_household__members_as_of"))
    people = Counter(home.values())
    dead = {person for (person,) in rows("select person_id from intermediate.int_person__persons where is_deceased")}
    with_partner: set[str] = set()
    for husband, wife, begun, ended in rows(
        "select husband_id, wife_id, valid_from, valid_to from intermediate.int_family__partners"
    ):
        if begun and begun <= as_of and (ended is None or ended > as_of):
            with_partner |= ({husband} if wife not in dead else set()) | ({wife} if husband not in dead else set())
    facts: dict[str, dict[str, list[tuple[dt.date, dt.date | None]]]] = {}
    for person, code, begun, ended in rows(
        "select person_id, observation_code, observed_on, ended_on from intermediate.int_observations__all "
        "where observation_code in ('disability_certificate', 'public_assistance', 'public_assistance_ended')"
    ):
        if begun <= as_of:
            facts.setdefault(person, {}).setdefault(code, []).append((begun, ended))
    closed = {
        (numbers.get(number), benefit)
        for number, benefit, day, result in rows(
            "select subject_no, benefit, checked_on, check_result from staging.stg_child__recorded_benefit_checks"
        )
        if months_before(as_of, 12) < day <= as_of and result not in ("informed", "unreachable")
    }
    delivered = dict(
        rows("select source_id, max(delivered_on) from raw.deliveries where status = 'loaded' group by source_id")
    )
    since = dict(rows("select person_id, resident_from from intermediate.int_person__persons"))
    standings = {}
    for person, birth_on, household, mother, father in rows(
        "select person_id, birth_on, household_id, mother_id, father_id from marts.dim_child where not is_unborn"
    ):
        own = facts.get(person, {})
        parents = [parent for parent in (mother, father) if parent and household and home.get(parent) == household]
        benefits = {"child_allowance"}
        if len(parents) == 1 and parents[0] not in with_partner:
            benefits.add("child_rearing_allowance")
        if any(ended is None or ended > as_of for _, ended in own.get("disability_certificate", [])):
            benefits.add("special_allowance")
        is_assisted = any(ended is None or ended > as_of for _, ended in own.get("public_assistance", []))
        last_end = max((begun for begun, _ in own.get("public_assistance_ended", [])), default=dt.date.min)
        begins_on = school_begins_on(birth_on)
        if (
            not is_assisted
            and last_end > months_before(as_of, 24)
            and begins_on <= as_of < begins_on.replace(year=begins_on.year + 9)
        ):
            benefits.add("school_aid")
        for benefit in benefits:
            if person in on_file.get(benefit, ()):
                continue
            if max(since.get(person) or birth_on, birth_on) > months_before(as_of, 2):
                standing = "recent"
            elif people[household] > 10 if household else False:
                standing = "institution"
            elif (person, benefit) in closed:
                standing = "checked"
            elif benefit in LISTS and (benefit not in delivered or as_of >= delivered[benefit] + LATE_AFTER):
                standing = "source_missing"
            else:
                standing = "candidate"
            standings[person, benefit] = standing
    return standings


def held_unclaimed(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    """The same as the mart has it."""
    rows = connection.execute("select person_id, benefit, standing from marts.fct_unclaimed_benefit").fetchall()
    return {(person, benefit): standing for person, benefit, standing in rows}


def test_unclaimed_benefits_of_a_city_are_those_of_a_second_computation(city: City) -> None:
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        expected = expected_unclaimed(connection, AS_OF)
        assert held_unclaimed(connection) == expected
        kinds = Counter(benefit for (_, benefit), standing in expected.items() if standing == "candidate")
        assert kinds["child_rearing_allowance"] > 0
        assert kinds["special_allowance"] > 0
        [(listed,)] = connection.execute("select count(*) from marts.bi_unclaimed_benefit").fetchall()
        assert listed == len(expected)


@dataclass
class Town:
    """Children of the city with a part each, and the warehouse after the batch."""

    parts: dict[str, str]
    connection: duckdb.DuckDBPyConnection


D = dt.date
# Part → the benefits that its family may have to claim. Each lives with its mother alone only where the name says so.
PARTS: dict[str, dict[str, str]] = {
    "all_on_file": {},
    "no_allowance": {"child_allowance": "candidate"},
    "allowance_ended": {"child_allowance": "candidate"},
    "allowance_ends_tomorrow": {},
    "born_lately": {"child_allowance": "recent"},
    "born_two_months_ago": {"child_allowance": "candidate"},
    "recorded": {"child_allowance": "checked"},
    "recorded_a_year_ago": {"child_allowance": "candidate"},
    "being_told": {"child_allowance": "candidate"},
    "other_benefit_recorded": {"child_allowance": "candidate"},
    "single": {"child_rearing_allowance": "candidate"},
    "single_with_allowance": {},
    "single_and_married_to_one_elsewhere": {},
    "single_and_widowed": {"child_rearing_allowance": "candidate"},
    "single_and_divorced": {"child_rearing_allowance": "candidate"},
    "with_certificate": {"special_allowance": "candidate"},
    "certificate_returned": {},
    "assistance_ended": {"school_aid": "candidate"},
    "assistance_ended_long_ago": {},
    "assistance_ended_and_begun": {},
    "assistance_ended_with_aid": {},
    "assistance_ended_with_last_years_aid": {},
    "assistance_ended_with_older_aid": {"school_aid": "candidate"},
    "assistance_ended_before_school": {},
}
ASSISTANCE = {
    "assistance_ended": D(2024, 4, 2), "assistance_ended_long_ago": D(2024, 4, 1),
    "assistance_ended_and_begun": D(2025, 4, 1), "assistance_ended_with_aid": D(2025, 4, 1),
    "assistance_ended_with_last_years_aid": D(2025, 4, 1), "assistance_ended_with_older_aid": D(2025, 4, 1),
    "assistance_ended_before_school": D(2025, 4, 1),
}  # fmt: skip
RECORDS = {
    "recorded": ("child_allowance", D(2025, 4, 2), "not_entitled"),
    "recorded_a_year_ago": ("child_allowance", D(2025, 4, 1), "not_entitled"),
    "being_told": ("child_allowance", D(2026, 3, 1), "informed"),
    "other_benefit_recorded": ("school_aid", D(2026, 3, 1), "receiving"),
}


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The city with each rule met once and once nearly."""
    home = Home(tmp_path_factory.mktemp("town")).ensure()
    shutil.copy(city.warehouse, home.warehouse)
    with duckdb.connect(str(home.warehouse)) as connection:
        parts = _choose(connection)
        _deliver(connection, parts)
    dbt_runner.invoke(home, ["run", "--select", *REBUILT])
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        yield Town(parts, connection)


def _choose(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """A child for each part: of a mother with whom no other part lives, under one number, in no institution."""
    free = connection.execute(
        """
        select min(children.person_id) as person_id
        from marts.dim_child as children
        join intermediate.int_household__members_as_of as mothers
            on mothers.person_id = children.mother_id and mothers.household_id = children.household_id
        join marts.dim_household as households
            on households.household_id = children.household_id and not households.is_institution
        where not children.is_unborn and not children.is_dv_protected and children.age_months between 24 and 200
            and children.person_id in (
                select person_id from intermediate.int_person__atena group by person_id having count(*) = 1
            )
        group by children.mother_id
        order by 1
        """
    ).fetchall()
    parts = dict(zip(PARTS, (person for (person,) in free), strict=False))
    assert parts.keys() == PARTS.keys()
    people = list(parts.values())
    for table, column in (
        ("staging.stg_child__child_rearing_allowance", "child_atena_no"),
        ("staging.stg_child__child_allowance", "child_atena_no"),
        ("staging.stg_education__school_aid", "atena_no"),
        ("intermediate.int_person__pupil_numbers", "person_id"),
    ):
        connection.execute(f"delete from {table} where list_contains(?, {column})", [people])
    connection.execute(
        "delete from intermediate.int_observations__all where list_contains(?, person_id) and observation_code in "
        "('child_allowance', 'child_rearing_allowance', 'disability_certificate', 'public_assistance', "
        "'public_assistance_ended')",
        [people],
    )
    return parts


def _insert(connection: duckdb.DuckDBPyConnection, table: str, **values: Any) -> None:
    values = {"delivery_id": "test", "line_number": 900_000, **values}
    names = ", ".join(f"? as {name}" for name in values)
    connection.execute(f"insert into {table} by name select {names}", list(values.values()))


def _deliver(connection: duckdb.DuckDBPyConnection, parts: dict[str, str]) -> None:
    def observe(part: str, code: str, begun: dt.date, ended: dt.date | None = None) -> None:
        _insert(
            connection, "intermediate.int_observations__all", person_id=parts[part], observation_code=code,
            observed_on=begun, ended_on=ended,
        )  # fmt: skip

    def allow(part: str, benefit: str, ended: dt.date | None = None) -> None:
        """An allowance, as the extract and as the observation made of it."""
        _insert(
            connection, f"staging.stg_child__{benefit}", child_atena_no=parts[part], certified_on=D(2025, 1, 1),
            disqualified_on=ended,
        )  # fmt: skip
        observe(part, benefit, D(2025, 1, 1), ended)

    register = "staging.stg_citizens__resident_register"
    births = {
        "born_lately": D(2026, 2, 2), "born_two_months_ago": D(2026, 2, 1),
        "assistance_ended_before_school": D(2020, 4, 2),
    }  # fmt: skip
    for part, person in parts.items():
        birth_on = births.get(part, D(2015, 5, 5))
        connection.execute(
            f"update {register} set birth_on = ?, resident_since_on = ? where atena_no = ?",
            [birth_on, birth_on, person],
        )
        if "child_allowance" not in PARTS[part]:
            allow(part, "child_allowance", AS_OF + dt.timedelta(days=1) if part == "allowance_ends_tomorrow" else None)
    allow("allowance_ended", "child_allowance", AS_OF)
    allow("single_with_allowance", "child_rearing_allowance")
    observe("with_certificate", "disability_certificate", D(2024, 5, 1))
    observe("certificate_returned", "disability_certificate", D(2024, 5, 1), AS_OF)
    for part, day in ASSISTANCE.items():
        observe(part, "public_assistance_ended", day)
        observe(part, "public_assistance", D(2020, 5, 1), day)
    observe("assistance_ended_and_begun", "public_assistance", D(2025, 9, 1))
    for part, year in (
        ("assistance_ended_with_aid", 2026), ("assistance_ended_with_last_years_aid", 2025),
        ("assistance_ended_with_older_aid", 2024),
    ):  # fmt: skip
        _insert(connection, "staging.stg_education__school_aid", atena_no=parts[part], fiscal_year=year)
    for number, (part, (benefit, day, result)) in enumerate(RECORDS.items(), start=900_000):
        _insert(
            connection, "staging.stg_child__recorded_benefit_checks", record_no=f"r{number}", subject_no=parts[part],
            benefit=benefit, checked_on=day, check_result=result, line_number=number,
        )  # fmt: skip
    _set_families(connection, parts)


def _set_families(connection: duckdb.DuckDBPyConnection, parts: dict[str, str]) -> None:
    """Each mother is married to somebody of another household; with those whose name says so lives no father."""
    [(living,)] = connection.execute(
        "select min(person_id) from intermediate.int_person__persons where is_resident and sex = '男' "
        "and age_months > 700"
    ).fetchall()
    [(dead,)] = connection.execute(
        "select min(person_id) from intermediate.int_person__persons where is_deceased"
    ).fetchall()
    for part, person in parts.items():
        [(mother, father)] = connection.execute(
            "select mother_id, father_id from marts.dim_child where person_id = ?", [person]
        ).fetchall()
        connection.execute("delete from intermediate.int_family__partners where ? in (husband_id, wife_id)", [mother])
        if part.startswith("single"):
            connection.execute("delete from intermediate.int_household__members_as_of where person_id = ?", [father])
        if part not in ("single", "single_with_allowance"):
            connection.execute(
                "insert into intermediate.int_family__partners by name select ? as husband_id, ? as wife_id, "
                "'marriage' as link_kind, date '2014-01-01' as valid_from, ?::date as valid_to",
                [dead if part == "single_and_widowed" else living, mother,
                 AS_OF if part == "single_and_divorced" else None],
            )  # fmt: skip


def test_each_rule_is_met_once_and_once_nearly(town: Town) -> None:
    held = held_unclaimed(town.connection)
    by_part = {
        part: {benefit: standing for (who, benefit), standing in held.items() if who == person}
        for part, person in town.parts.items()
    }
    assert by_part == PARTS


def test_unclaimed_benefits_of_the_town_are_those_of_a_second_computation(town: Town) -> None:
    assert held_unclaimed(town.connection) == expected_unclaimed(town.connection, AS_OF)


def test_each_row_says_who_tells_the_family_and_how_sure_it_is(town: Town) -> None:
    rows = town.connection.execute(
        "select distinct benefit, department, certainty from marts.fct_unclaimed_benefit order by benefit"
    ).fetchall()
    assert rows == [
        ("child_allowance", "child", "高い"), ("child_rearing_allowance", "child", "中くらい"),
        ("school_aid", "welfare", "中くらい"), ("special_allowance", "welfare", "低い"),
    ]  # fmt: skip
