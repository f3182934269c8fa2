"""Record linkage: hard cases, assignment, and what stays from run to run."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from kodomo.linkage import predict as predict_module
from kodomo.linkage.predict import assign, labels, parameters, predict

RECORD_TYPES = {
    "source_id": "varchar",
    "source_key": "varchar",
    "full_name": "varchar",
    "full_name_match": "varchar",
    "full_name_kana": "varchar",
    "birth_on": "date",
    "sex": "varchar",
    "address_match": "varchar",
    "guardian_name_match": "varchar",
    "known_on": "date",
    "known_years_ago": "integer",
    "record_hash": "varchar",
}
VERSION_TYPES = {
    "person_id": "varchar",
    "version_no": "integer",
    "full_name": "varchar",
    "full_name_match": "varchar",
    "full_name_kana": "varchar",
    "birth_on": "date",
    "sex": "varchar",
    "address_match": "varchar",
}
HOUSEHOLD_TYPES = {
    "person_id": "varchar",
    "guardian_names": "varchar[]",
    "guardian_given": "varchar[]",
    "household_surnames": "varchar[]",
    "household_addresses": "varchar[]",
    "married_on": "date",
}
REVIEW_TYPES = {
    "source_id": "varchar",
    "source_key": "varchar",
    "decision": "varchar",
    "person_id": "varchar",
}
BIRTH = dt.date(2015, 5, 5)


def relation(
    connection: duckdb.DuckDBPyConnection, name: str, types: dict[str, str], rows: list[dict[str, Any]]
) -> duckdb.DuckDBPyRelation:
    """A table of the given rows, as dbt hands it to the model."""
    columns = ", ".join(f"{column} {kind}" for column, kind in types.items())
    connection.execute(f"create or replace table {name} ({columns})")
    marks = ", ".join("?" for _ in types)
    for row in rows:
        connection.execute(f"insert into {name} values ({marks})", [row.get(column) for column in types])
    return connection.table(name)


def record(key: str, name: str, kana: str, source: str = "school_enrolment", **changes: Any) -> dict[str, Any]:
    """A child of the Satō family as a school describes it."""
    row = {
        "source_id": source,
        "source_key": key,
        "full_name": name,
        "full_name_match": name.replace(" ", ""),
        "full_name_kana": kana,
        "birth_on": BIRTH,
        "sex": "男",
        "address_match": "佐渡市両津夷1-5",
        "guardian_name_match": "佐藤一郎",
        "known_on": dt.date(2023, 4, 1),
        "known_years_ago": 3,
        **changes,
    }
    return {**row, "record_hash": repr(sorted((k, str(v)) for k, v in row.items()))}


def person(person_id: str, name: str, kana: str, version: int = 1, **changes: Any) -> dict[str, Any]:
    """The same family in the register."""
    return {
        "person_id": person_id,
        "version_no": version,
        "full_name": name,
        "full_name_match": name.replace(" ", ""),
        "full_name_kana": kana,
        "birth_on": BIRTH,
        "sex": "男",
        "address_match": "両津夷1-5",
        **changes,
    }


def household(person_id: str) -> dict[str, Any]:
    """The guardian whom the register knows."""
    return {
        "person_id": person_id,
        "guardian_names": ["佐藤一郎"],
        "guardian_given": ["一郎"],
        "household_surnames": ["佐藤"],
        "household_addresses": ["両津夷1-5"],
    }


class Linkage:
    """A small warehouse in memory, in which predictions are made run after run."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("create schema intermediate")

    def run(
        self,
        records: list[dict[str, Any]],
        people: list[dict[str, Any]],
        reviews: list[dict[str, Any]] | None = None,
        married: dict[str, dt.date] | None = None,
    ) -> dict[tuple[str, str], tuple[str, str]]:
        """One run: (status, person) of each record's leading pair, linked or to review."""
        ids = sorted({row["person_id"] for row in people})
        households = [{**household(key), "married_on": (married or {}).get(key)} for key in ids]
        table = predict(
            self.connection,
            relation(self.connection, "records", RECORD_TYPES, records),
            relation(self.connection, "versions", VERSION_TYPES, people),
            relation(self.connection, "households", HOUSEHOLD_TYPES, households),
            relation(self.connection, "reviews", REVIEW_TYPES, reviews or []),
            previous='"memory"."intermediate"."int_identity__predictions"',
        )
        self.connection.register("made", table)
        self.connection.execute("create or replace table intermediate.int_identity__predictions as from made")
        self.connection.unregister("made")
        rows = [row for row in table.to_pylist() if row["status"] in {"linked", "review"}]
        rows.sort(key=lambda row: row["match_weight"])
        return {(row["source_id"], row["source_key"]): (row["status"], row["person_id"]) for row in rows}


@pytest.fixture
def linkage() -> Linkage:
    """An empty warehouse."""
    return Linkage()


SCHOOL = "school_enrolment"


def test_twins_are_distinguished(linkage: Linkage) -> None:
    links = linkage.run(
        [record("1", "佐藤 涼太", "サトウ リョウタ"), record("2", "佐藤 涼斗", "サトウ リョウト")],
        [person("A", "佐藤 涼太", "サトウ リョウタ"), person("B", "佐藤 涼斗", "サトウ リョウト")],
    )
    assert links == {(SCHOOL, "1"): ("linked", "A"), (SCHOOL, "2"): ("linked", "B")}


@pytest.mark.parametrize(
    ("name", "kana"),
    [("佐藤 涼斗", "サトウ リョウト"), ("佐藤 海", "サトウ カイ"), ("佐藤 健太", "サトウ ケンタ")],
)
@pytest.mark.parametrize("source", ["school_enrolment", "guidance_centre_cases"])
def test_a_twin_whom_the_register_does_not_have_is_not_linked_to_the_other(
    linkage: Linkage, name: str, kana: str, source: str
) -> None:
    links = linkage.run([record("1", name, kana, source)], [person("A", "佐藤 涼太", "サトウ リョウタ")])
    assert links.get((source, "1"), ("", ""))[0] != "linked"


def test_changed_surname_is_linked_by_the_other_fields(linkage: Linkage) -> None:
    links = linkage.run(
        [record("1", "佐藤 太郎", "サトウ タロウ", "guidance_centre_cases")],
        [person("A", "田中 太郎", "タナカ タロウ", address_match="相川1-1")],
    )
    assert links == {("guidance_centre_cases", "1"): ("linked", "A")}


@pytest.mark.parametrize(
    ("married_on", "status"),
    [(dt.date(2024, 1, 1), "linked"), (dt.date(2022, 1, 1), "review"), (None, "review")],
)
def test_a_common_surname_of_the_former_household_counts_for_who_has_married_since(
    linkage: Linkage, married_on: dt.date | None, status: str
) -> None:
    elsewhere = {"birth_on": dt.date(2000, 5, 5), "sex": "女"}
    links = linkage.run(
        [record("1", "佐藤 花子", "サトウ ハナコ", address_match="佐渡市相川9", guardian_name_match=None, **elsewhere)],
        [
            person("A", "田中 花子", "タナカ ハナコ", address_match="赤泊1-1", **elsewhere),
            # In a register of two every surname is common.
            person("B", "佐藤 次郎", "サトウ ジロウ"),
        ],
        married={"A": married_on} if married_on else None,
    )
    assert links == {(SCHOOL, "1"): (status, "A")}


@pytest.mark.parametrize(("address", "status"), [("佐渡市両津夷1-5", "linked"), ("佐渡市赤泊9", "review")])
def test_the_guardian_at_a_former_address_says_more_than_the_guardian(
    linkage: Linkage, address: str, status: str
) -> None:
    links = linkage.run(
        [record("1", "佐藤 太郎", "サトウ タロウ", birth_on=None, address_match=address)],
        [person("A", "田中 太郎", "タナカ タロウ", address_match="相川1-1")],
    )
    assert links == {(SCHOOL, "1"): (status, "A")}


def test_every_level_can_be_read_in_japanese() -> None:
    for name, levels in parameters()["comparisons"].items():
        links = labels(name)
        assert len(links) == len(set(links)) == len(levels)
        assert not any(re.search("[A-Za-z]", label) for label in links)


def test_namesake_not_yet_born_is_another_person(linkage: Linkage) -> None:
    without_birth = {"birth_on": None, "known_on": dt.date(2014, 4, 1), "known_years_ago": 12}
    links = linkage.run(
        [record("1", "佐藤 太郎", "サトウ タロウ", "guidance_centre_cases", **without_birth)],
        [person("A", "佐藤 太郎", "サトウ タロウ")],
    )
    assert links == {}


def test_a_namesake_who_was_no_child_any_more_is_not_linked(linkage: Linkage) -> None:
    record_of_a_child = record("1", "佐藤 太郎", "サトウ タロウ", "guidance_centre_cases", birth_on=None)
    links = linkage.run([record_of_a_child], [person("A", "佐藤 太郎", "サトウ タロウ", birth_on=dt.date(1960, 5, 5))])
    assert links.get(("guidance_centre_cases", "1"), ("", ""))[0] != "linked"
    links = linkage.run([record_of_a_child], [person("A", "佐藤 太郎", "サトウ タロウ")])
    assert links == {("guidance_centre_cases", "1"): ("linked", "A")}


@pytest.mark.parametrize(("years", "status"), [(15, "linked"), (3, "review")])
def test_another_household_tells_apart_today_and_not_after_many_years(
    linkage: Linkage, years: int, status: str
) -> None:
    elsewhere = {"address_match": "佐渡市相川1-1", "guardian_name_match": "田中花子", "known_years_ago": years}
    birth = dt.date(2000, 5, 5)
    links = linkage.run(
        [record("1", "佐藤 太郎", "サトウ タロウ", "guidance_centre_cases", birth_on=birth, **elsewhere)],
        [person("A", "佐藤 太郎", "サトウ タロウ", birth_on=birth)],
    )
    assert links == {("guidance_centre_cases", "1"): (status, "A")}


def test_a_name_without_a_space_is_split_where_the_other_side_is(linkage: Linkage) -> None:
    links = linkage.run(
        [record("1", "佐藤太郎", "サトウ タロウ", address_match="佐渡市赤泊9-9", guardian_name_match=None)],
        [person("A", "田中 太郎", "タナカ タロウ", address_match="相川1-1")],
    )
    # Not missed: the given name agrees in writing too, and 佐藤 is the surname of the former household.
    assert links == {(SCHOOL, "1"): ("review", "A")}


def test_a_former_description_counts(linkage: Linkage) -> None:
    links = linkage.run(
        [record("1", "佐藤 太郎", "サトウ タロウ", guardian_name_match=None)],
        [
            person("A", "田中 太郎", "タナカ タロウ", address_match="相川1-1"),
            person("A", "佐藤 太郎", "サトウ タロウ", version=2),
        ],
    )
    assert links == {(SCHOOL, "1"): ("linked", "A")}


def test_two_people_of_one_name_and_birth_date_wait_for_a_person(linkage: Linkage) -> None:
    elsewhere = {"address_match": "相川1-1"}
    links = linkage.run(
        [record("1", "佐藤 太郎", "サトウ タロウ", address_match=None, guardian_name_match=None)],
        [
            person("A", "佐藤 太郎", "サトウ タロウ", **elsewhere),
            person("B", "佐藤 太郎", "サトウ タロウ", **elsewhere),
        ],
    )
    assert links[SCHOOL, "1"][0] == "review"


def test_a_birth_date_with_day_and_month_exchanged_is_forgiven(linkage: Linkage) -> None:
    links = linkage.run(
        [record("1", "佐藤 太郎", "サトウ タロウ", birth_on=dt.date(2015, 7, 5))],
        [person("A", "佐藤 太郎", "サトウ タロウ", birth_on=dt.date(2015, 5, 7))],
    )
    assert links == {(SCHOOL, "1"): ("linked", "A")}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"address_match": "佐渡市相川9", "guardian_name_match": "中川花子"},
        {"address_match": None, "guardian_name_match": None, "sex": "不明"},
        {"full_name": "太郎佐藤", "full_name_kana": None},
        {"full_name": "佐藤太郎", "full_name_match": "タロウサトウ", "full_name_kana": "タロウサトウ"},
        {"birth_on": dt.date(2015, 5, 6)},
        {"birth_on": None},
    ],
    ids=["all agrees", "elsewhere", "birth date only", "no space", "reading only", "a day later", "no birth date"],
)
def test_given_name_and_surname_exchanged_are_for_review(linkage: Linkage, changes: dict[str, Any]) -> None:
    links = linkage.run(
        [record("1", "太郎 佐藤", "タロウ サトウ", **changes)],
        [person("A", "佐藤 太郎", "サトウ タロウ")],
    )
    assert links == {(SCHOOL, "1"): ("review", "A")}


def test_a_name_in_its_order_is_linked_before_one_exchanged(linkage: Linkage) -> None:
    links = linkage.run(
        [record("1", "森 林", "モリ ハヤシ")],
        [person("A", "林 森", "ハヤシ モリ"), person("B", "森 林", "モリ ハヤシ")],
    )
    assert links[SCHOOL, "1"] == ("linked", "B")


def test_several_cases_of_one_child_are_all_linked(linkage: Linkage) -> None:
    links = linkage.run(
        [record(key, "佐藤 太郎", "サトウ タロウ", "guidance_centre_cases") for key in ("1", "2")],
        [person("A", "佐藤 太郎", "サトウ タロウ")],
    )
    assert set(links.values()) == {("linked", "A")}
    assert len(links) == 2


def test_a_link_once_made_stays(linkage: Linkage) -> None:
    first = [record("1", "佐藤 太郎", "サトウ タロウ")]
    people = [person("A", "佐藤 太郎", "サトウ タロウ", address_match="相川1-1")]
    assert linkage.run(first, people) == {(SCHOOL, "1"): ("linked", "A")}
    # A better match comes later: the link that was made is not turned over.
    people.append(person("B", "佐藤 太郎", "サトウ タロウ"))
    assert linkage.run(first, people) == {(SCHOOL, "1"): ("linked", "A")}
    # The record itself changed: it is looked at again.
    changed = [record("1", "佐藤 太郎", "サトウ タロウ", address_match="佐渡市両津夷1-5-2")]
    assert linkage.run(changed, people)[SCHOOL, "1"][0] == "review"


def test_nothing_new_is_not_scored_again(linkage: Linkage, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [
        record("1", "佐藤 太郎", "サトウ タロウ"),
        record("2", "佐藤 太郎", "サトウ タロウ", address_match=None, guardian_name_match=None),
    ]
    people = [person("A", "佐藤 太郎", "サトウ タロウ"), person("B", "佐藤 次郎", "サトウ ジロウ")]
    first = linkage.run(records, people)
    made = linkage.connection.sql("from intermediate.int_identity__predictions order by all").fetchall()
    scored: list[int] = []
    real = predict_module.score

    def counted(*tables: pa.Table) -> pa.Table:
        scored.append(tables[0].num_rows)
        return real(*tables)

    monkeypatch.setattr(predict_module, "score", counted)
    assert linkage.run(list(reversed(records)), people) == first
    assert linkage.connection.sql("from intermediate.int_identity__predictions order by all").fetchall() == made
    assert scored == []
    # A new person in the register: what was not linked is looked at again, and nothing else.
    linkage.run(records, [*people, person("C", "佐藤 三郎", "サトウ サブロウ")])
    assert scored == [1]
    linkage.run([*records, record("3", "佐藤 三郎", "サトウ サブロウ")], people)
    assert scored == [1, 2]


def test_the_machine_never_overturns_a_person(linkage: Linkage) -> None:
    records = [record("1", "佐藤 太郎", "サトウ タロウ")]
    people = [person("A", "佐藤 太郎", "サトウ タロウ")]
    apart = [{"source_id": SCHOOL, "source_key": "1", "decision": "separate", "person_id": "A"}]
    assert linkage.run(records, people) == {(SCHOOL, "1"): ("linked", "A")}
    assert linkage.run(records, people, apart) == {}
    assert linkage.run(records, people) == {(SCHOOL, "1"): ("linked", "A")}


def test_a_person_given_by_a_decision_is_not_given_again(linkage: Linkage) -> None:
    records = [record(key, "佐藤 太郎", "サトウ タロウ") for key in ("1", "2")]
    decided = [{"source_id": SCHOOL, "source_key": "1", "decision": "link", "person_id": "A"}]
    assert linkage.run(records, [person("A", "佐藤 太郎", "サトウ タロウ")], decided) == {}


def test_nothing_to_link_is_no_error(linkage: Linkage) -> None:
    assert linkage.run([], []) == {}
    assert linkage.run([record("1", "佐藤 太郎", "サトウ タロウ")], []) == {}


def pair(key: str, person_id: str, weight: float) -> dict[str, Any]:
    """A scored pair of the school's list."""
    return {"source_id": SCHOOL, "source_key": key, "person_id": person_id, "match_weight": weight}


def test_the_best_pair_goes_first_and_the_loser_takes_what_is_left() -> None:
    status = assign([pair("1", "A", 30.0), pair("2", "A", 20.0), pair("2", "B", 15.0)], {}, {}, set())
    assert status == {(SCHOOL, "1", "A"): "linked", (SCHOOL, "2", "B"): "linked"}


def test_match_between_the_thresholds_is_for_review() -> None:
    thresholds = parameters()["thresholds"]
    between = (thresholds["link"]["match_weight"] + thresholds["review"]["match_weight"]) / 2
    assert assign([pair("1", "A", between)], {}, {}, set()) == {(SCHOOL, "1", "A"): "review"}


def test_predictions_have_one_shape(linkage: Linkage) -> None:
    linkage.run([], [])
    empty = linkage.connection.table("intermediate.int_identity__predictions").to_arrow_table().schema
    linkage.run([record("1", "佐藤 太郎", "サトウ タロウ")], [person("A", "佐藤 太郎", "サトウ タロウ")])
    filled = linkage.connection.table("intermediate.int_identity__predictions").to_arrow_table().schema
    assert isinstance(empty, pa.Schema)
    assert empty == filled
