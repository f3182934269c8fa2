"""Decisions about who is who: kept as data, undone as data."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from kodomo.errors import UsageError
from kodomo.home import Home
from kodomo.linkage.reviews import append_decision, decisions_file, read_decisions, reviews_in_force


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home without decisions."""
    return Home(tmp_path / "home")


def decide(home: Home, minute: int, decision: str, person_id: str = "", key: str = "1") -> None:
    """A decision of the given minute."""
    append_decision(
        home, "山田", "school_enrolment", key, decision, person_id, "面談で確認",
        decided_at=dt.datetime(2026, 4, 1, 9, minute, tzinfo=dt.UTC),
    )  # fmt: skip


def test_no_file_means_no_decision(home: Home) -> None:
    assert reviews_in_force(duckdb.connect(), home).num_rows == 0


def test_the_last_decision_holds_and_undo_brings_back_the_one_before(home: Home) -> None:
    decide(home, 1, "link", "A")
    decide(home, 2, "link", "B")
    assert reviews_in_force(duckdb.connect(), home).column("person_id").to_pylist() == ["B"]
    decide(home, 3, "undo")
    assert reviews_in_force(duckdb.connect(), home).column("person_id").to_pylist() == ["A"]
    decide(home, 4, "undo")
    assert reviews_in_force(duckdb.connect(), home).num_rows == 0
    assert len(read_decisions(decisions_file(home))) == 4


def kept(home: Home) -> set[tuple[str, str | None]]:
    """Decisions in force about the record: what was decided, and about whom."""
    return {(row["decision"], row["person_id"]) for row in reviews_in_force(duckdb.connect(), home).to_pylist()}


def test_pairs_kept_apart_add_up_until_they_are_undone(home: Home) -> None:
    decide(home, 1, "separate", "A")
    decide(home, 2, "separate", "B")
    assert kept(home) == {("separate", "A"), ("separate", "B")}
    decide(home, 3, "link", "C")
    assert kept(home) == {("separate", "A"), ("separate", "B"), ("link", "C")}
    decide(home, 4, "undo")
    decide(home, 5, "undo")
    assert kept(home) == {("separate", "A")}
    # It is A after all.
    decide(home, 6, "link", "A")
    assert kept(home) == {("link", "A")}


def test_decisions_of_the_form_and_of_the_file_are_one_sequence(home: Home) -> None:
    decide(home, 1, "link", "A")
    decide(home, 3, "undo")
    connection = duckdb.connect()
    connection.execute("create schema raw")
    connection.execute(
        "create table raw.link_reviews as select timestamp '2026-04-01 09:02:00' as decided_at, '佐藤' as decided_by, "
        "'school_enrolment' as source_id, '1' as source_key, 'link' as decision, 'B' as person_id, '面談' as reason"
    )
    # The form's decision of 9:02 is what the file's undo of 9:03 takes back.
    assert [row["person_id"] for row in reviews_in_force(connection, home).to_pylist()] == ["A"]


def test_numbers_as_a_spreadsheet_leaves_them_are_read(home: Home) -> None:
    append_decision(home, "山田", "resident_register", "１２３", "link", "45", "同一人")
    append_decision(home, "山田", "school_enrolment", "0123", "separate", "", "住民にいない")
    rows = {row["source_id"]: row for row in reviews_in_force(duckdb.connect(), home).to_pylist()}
    assert rows["resident_register"]["source_key"] == "000000000000123"
    assert rows["resident_register"]["person_id"] == "000000000000045"
    assert rows["school_enrolment"]["source_key"] == "0123"
    assert rows["school_enrolment"]["person_id"] is None


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("2026-04-01,,school_enrolment,1,link,A,x", "decided_by"),
        ("2026-04-01,山田,school_enrolment,1,link,,x", "person_id"),
        ("2026-04-01,山田,school_enrolment,1,separate,,", "reason"),
    ],
)
def test_a_line_without_a_name_a_person_or_a_reason_is_named(home: Home, line: str, column: str) -> None:
    decide(home, 1, "link", "A")
    with decisions_file(home).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(UsageError, match=f"line 3: {column}"):
        read_decisions(decisions_file(home))


def test_decisions_of_the_entry_form_count_as_well(home: Home) -> None:
    decide(home, 1, "link", "A")
    connection = duckdb.connect()
    connection.execute("create schema raw")
    connection.execute(
        "create table raw.link_reviews as select timestamp '2026-04-02 10:00:00' as decided_at, '佐藤' as decided_by, "
        "'school_enrolment' as source_id, '1' as source_key, 'separate' as decision, null::varchar as person_id, "
        "'別人' as reason"
    )
    kept = reviews_in_force(connection, home).to_pylist()
    assert [(row["decision"], row["decided_by"], row["person_id"]) for row in kept] == [("separate", "佐藤", None)]


def test_a_decision_needs_a_name_a_reason_and_a_person(home: Home) -> None:
    for arguments in (("", "s", "1", "link", "A", "x"), ("山田", "s", "1", "link", "A", " "),
                      ("山田", "s", "1", "link", "", "x"), ("山田", "s", "1", "maybe", "A", "x")):  # fmt: skip
        with pytest.raises(UsageError):
            append_decision(home, *arguments)
    assert not decisions_file(home).exists()


def test_a_broken_line_is_named(home: Home) -> None:
    decide(home, 1, "link", "A")
    with decisions_file(home).open("a", encoding="utf-8") as file:
        file.write("yesterday,山田,s,1,link,A,x\n")
    with pytest.raises(UsageError, match="line 3"):
        read_decisions(decisions_file(home))


def test_the_file_is_for_its_owner_only(home: Home) -> None:
    decide(home, 1, "link", "A")
    assert decisions_file(home).stat().st_mode & 0o077 == 0
