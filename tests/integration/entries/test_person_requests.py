"""Requests of the person concerned, carried out by a run: what is deleted, what stays and why, what was corrected."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from kodomo.contract import load_contracts
from kodomo.data_subjects.person_requests import forget_older_publications, take_entries_and_requests
from kodomo.determination import determination
from kodomo.entries.forms import forms, mistakes
from kodomo.entries.store import EntryStore, Version
from kodomo.errors import UsageError
from kodomo.home import Home
from kodomo.ingest.deliveries import ingest_landing
from kodomo.publication import list_publications, publish
from kodomo.warehouse import connect, write_run_parameters
from orchestration.cli import build_app
from tests.security.scratch import write_warehouse

CHILD, OTHER = "000000000000042", "000000000000421"
TABLES = f"""
create schema intermediate;
create schema marts;
create table intermediate.int_person__atena as
select * from (values ('{CHILD}', '{CHILD}'), ('{OTHER}', '{OTHER}')) as t(person_id, atena_no);
create table intermediate.int_person__identities as
select '{CHILD}' as person_id, 'school_enrolment' as source_id, 'S-77' as source_key;
create table marts.fct_risk_score as
select date '2025-04-01' as as_of_on, unnest(['{CHILD}', '{OTHER}']) as person_id;
create table marts.fct_chain as
select date '2025-04-01' as as_of_on, '{OTHER}' as person_id, '{OTHER}>{CHILD}' as path;
"""


def deliver(folder: Path, source_id: str, day: str, rows: list[dict[str, str]]) -> None:
    """A file as the holder writes it; columns that are not given are empty."""
    columns = load_contracts()[source_id].columns
    lines = [",".join(column.heading for column in columns)]
    lines += [",".join(row.get(column.name, "") for column in columns) for row in rows]
    (folder / source_id).mkdir(parents=True, exist_ok=True)
    (folder / source_id / f"{source_id}_{day}.csv").write_text("\r\n".join(lines) + "\r\n", encoding="cp932")


def case(number: str, atena_no: str, on: str = "20240501") -> dict[str, str]:
    return {
        "case_no": number, "child_atena_no": atena_no, "registered_on": on, "case_class": "要保護児童",
        "main_difficulty": "虐待",
    }  # fmt: skip


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    return tmp_path / "landing"


@pytest.fixture
def home(tmp_path: Path, landing: Path) -> Home:
    """A home after a first run that knows two children, each with a case."""
    home = Home(tmp_path / "var").ensure()
    with connect(home) as connection:
        write_run_parameters(connection, "r0", dt.date(2026, 4, 1))
        connection.execute(TABLES)
    deliver(landing, "council_cases", "20260401", [case("C1", "42"), case("C2", "421")])
    run(home, landing, "r0")
    return home


def run(home: Home, landing: Path, run_id: str) -> None:
    """What a run does before it builds."""
    ingest_landing(home, landing, run_id)
    take_entries_and_requests(home, run_id)


def rows(home: Home, query: str) -> list[tuple]:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        return connection.execute(query).fetchall()


def ask(home: Home, request: str, **more: str) -> Version:
    content = {
        "requested_on": "2026-04-02", "request": request, "about": "本人の請求", "outcome": "accepted",
        "data_source": "council_cases", **more,
    }  # fmt: skip
    assert not mistakes(forms()["person_request"], content)
    return EntryStore(home).create("person_request", content, by="aoi", department="child", person_id=CHILD)


CASES = "select case_no, ltrim(child_atena_no, '0') from raw.council_cases order by all"


def test_a_granted_deletion_takes_rows_past_scores_and_paths_and_says_what_stays(home: Home, landing: Path) -> None:
    request = ask(home, "deletion")
    run(home, landing, "r1")
    assert rows(home, CASES) == [("C2", "421")]
    assert rows(home, "select person_id from marts.fct_risk_score") == [(OTHER,)]
    assert rows(home, "select * from marts.fct_chain") == []
    assert rows(home, "select request_id, source_id, line_number, run_id from raw.person_deletions") == [
        (request.record_id, "council_cases", 2, "r1")
    ]
    effect = EntryStore(home).effect(request.record_id, 1)
    assert effect["outcome"] == "deleted"
    for words in ("1行", "原本", "保存期間の終わり", "会議の決定"):
        assert words in effect["message"]
    # The account of the delivery stays what it was.
    assert rows(home, "select rows_read, rows_loaded from raw.deliveries") == [(2, 2)]


def test_record_delivered_again_is_deleted_again(home: Home, landing: Path) -> None:
    request = ask(home, "deletion")
    run(home, landing, "r1")
    store = EntryStore(home)
    assert "1行。" in store.effect(request.record_id, 1)["message"]
    deliver(landing, "council_cases", "20260501", [case("C1", "0042"), case("C2", "421"), case("C3", "42")])
    run(home, landing, "r2")
    assert {number for number, _ in rows(home, CASES)} == {"C2"}
    assert rows(home, "select count(*) from raw.person_deletions") == [(3,)]
    assert "3行。" in store.effect(request.record_id, 1)["message"]
    first_effect = store.effect(request.record_id, 1)
    run(home, landing, "r3")
    assert store.effect(request.record_id, 1) == first_effect


def test_entries_are_deleted_with_the_person(home: Home, landing: Path) -> None:
    store = EntryStore(home)
    typed = store.create(
        "paper_case", {"registered_on": "1998-03-01", "case_class": "要支援児童"}, by="aoi", department="child",
        person_id=CHILD,
    )  # fmt: skip
    run(home, landing, "r1")
    assert rows(home, "select count(*) from raw.council_cases") == [(3,)]
    request = ask(home, "deletion", data_source="all")
    run(home, landing, "r2")
    assert store.newest(typed.record_id).content == {}
    assert {number for number, _ in rows(home, CASES)} == {"C2"}
    assert "画面から入れた記録1件" in store.effect(request.record_id, 1)["message"]
    assert held_records(home, store) == set()


def held_records(home: Home, store: EntryStore) -> set[str]:
    """Titles of the records that a disclosure would find, without what is published."""
    from kodomo.data_subjects import disclosure

    with connect(home, read_only=True) as connection:
        known = disclosure.known_as(connection, CHILD)
        held = [disclosure._records(connection, contract, known, set()) for contract in load_contracts().values()]
    return {records.label for records in held if records is not None}


def test_nothing_is_deleted_that_was_not_granted_or_is_kept_by_law(home: Home, landing: Path) -> None:
    deliver(landing, "resident_register", "20260401", [{"atena_no": "42", "birth_on": "20150505"}])
    ask(home, "deletion", outcome="refused", outcome_reason="事務に必要なため")
    ask(home, "deletion", data_source="all")
    EntryStore(home).delete(ask(home, "deletion").record_id, 1, by="aoi", reason="取下げ")
    before = rows(home, "select count(*) from raw.resident_register")
    run(home, landing, "r1")
    assert rows(home, "select count(*) from raw.resident_register") >= before
    assert rows(home, "select distinct source_id from raw.person_deletions") == [("council_cases",)]


def test_a_correction_is_noted_when_the_holder_delivers_something_else(home: Home, landing: Path) -> None:
    request = ask(home, "correction", outcome="passed_on")
    store = EntryStore(home)
    run(home, landing, "r1")
    assert store.effect(request.record_id, 1) is None
    deliver(landing, "council_cases", "20260501", [case("C1", "42"), case("C2", "421", "20240601")])
    run(home, landing, "r2")
    assert store.effect(request.record_id, 1) is None, "the new record is about another person"
    deliver(landing, "council_cases", "20260601", [case("C1", "42", "20240502"), case("C2", "421", "20240601")])
    run(home, landing, "r3")
    effect = store.effect(request.record_id, 1)
    assert effect["outcome"] == "corrected"
    assert "20260601-council_cases" in effect["message"]


def test_a_request_needs_its_data_and_what_is_kept_by_law_is_not_deleted() -> None:
    form = forms()["person_request"]
    content = {"requested_on": "2026-04-02", "request": "deletion", "about": "x", "outcome": "accepted"}
    assert set(mistakes(form, content)) == {"data_source"}
    assert not mistakes(form, {**content, "outcome": "refused", "outcome_reason": "x"})
    assert not mistakes(form, {**content, "request": "disclosure"})


def test_the_command_records_a_request_and_shows_what_a_run_made_of_it(
    home: Home, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KODOMO_HOME", str(home.root))
    monkeypatch.setattr(determination, "find", lambda _home, given: (given.zfill(15), {}))
    asked = ["entry", "request", "42", "--kind", "deletion", "--about", "本人の請求", "--requested-on", "2026-04-02"]
    runner, app = CliRunner(), build_app()

    def entered() -> list[dict[str, Any]]:
        return json.loads(runner.invoke(app, ["entry", "list", "--form", "person_request", "--json"]).output)

    for more, words in (
        (["--outcome", "accepted"], "「対象のデータ」を選んでください。"),
        (["--outcome", "accepted", "--data-source", "resident_register"], "法令により保有する"),
        (["--outcome", "soon"], "一覧から選んでください。"),
    ):
        refused = runner.invoke(app, [*asked, *more])
        assert isinstance(refused.exception, UsageError)
        assert words in str(refused.exception)
    assert entered() == []
    assert runner.invoke(app, [*asked, "--outcome", "accepted", "--data-source", "council_cases"]).exit_code == 0
    assert [row["outcome"] for row in entered()] == [None]
    run(home, landing, "r1")
    (row,) = entered()
    assert row["outcome"] == "deleted"
    assert "1行" in row["message"]
    assert rows(home, CASES) == [("C2", "421")]


def test_publications_from_before_a_deletion_are_gone_once_a_later_one_is_in_service(tmp_path: Path) -> None:
    home = Home(tmp_path / "var").ensure()
    write_warehouse(home.warehouse)
    publish(home, "r1")
    forget_older_publications(home, publish(home, "r2"))
    assert [publication.name for publication in list_publications(home)] == ["r1", "r2"]
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create schema if not exists raw")
        connection.execute("create table raw.person_deletions as select ?::timestamp as deleted_at", [now()])
    forget_older_publications(home, publish(home, "r3"))
    assert [publication.name for publication in list_publications(home)] == ["r3"]


def now() -> Any:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
