"""Entries as deliveries: the same accounting as every other one, and never twice."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from kodomo.entries.store import EntryStore, Version
from kodomo.home import Home
from kodomo.ingest.deliveries import ingest_landing
from kodomo.ingest.entries import record_number, take_entries
from kodomo.warehouse import connect, write_run_parameters

PERSON = "000000000000042"
CONSULTATION = {"occurred_on": "2026-03-01", "incident_type": "SSW", "school_person_no": "1"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "var").ensure()
    with connect(home) as connection:
        write_run_parameters(connection, "r0", dt.date(2026, 4, 1))
    return home


def rows(home: Home, query: str) -> list[tuple]:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        return connection.execute(query).fetchall()


def case(store: EntryStore, **content: str) -> str:
    given = {"registered_on": "1998-03-01", "case_class": "要保護児童", **content}
    return store.create("paper_case", given, by="aoi", department="child", person_id=PERSON).record_id


IN_FORCE = "semi join (from raw.deliveries where status = 'loaded') using (delivery_id)"
DELIVERIES = "select status, kind, rows_read, rows_loaded, rows_rejected from raw.deliveries order by delivery_id"


def test_nothing_entered_makes_no_database_and_no_delivery(home: Home) -> None:
    assert take_entries(home, "r1") == []
    assert not home.entries.exists()


def test_entries_of_a_source_are_one_delivery_that_accounts_for_every_row(home: Home) -> None:
    store = EntryStore(home)
    first, second = case(store), case(store, abuse_type="ネグレクト", lead_agency="児童相談所")
    (delivery,) = take_entries(home, "r1")
    assert (delivery.source_id, delivery.rows_read, delivery.rows_loaded) == ("council_cases", 2, 2)
    assert rows(home, DELIVERIES) == [("loaded", "entry", 2, 2, 0)]
    deliveries = rows(
        home, "select case_no, child_atena_no, registered_on, abuse_type from raw.council_cases order by line_number"
    )
    assert deliveries == [
        (record_number(first), PERSON, "1998-03-01", None),
        (record_number(second), PERSON, "1998-03-01", "ネグレクト"),
    ]
    assert store.effect(first, 1)["outcome"] == "taken"


def test_the_same_entries_are_not_taken_twice(home: Home) -> None:
    case(EntryStore(home))
    assert len(take_entries(home, "r1")) == 1
    assert take_entries(home, "r2") == []
    assert rows(home, DELIVERIES) == [("loaded", "entry", 1, 1, 0)]


def test_a_change_supersedes_and_going_back_restores(home: Home) -> None:
    store = EntryStore(home)
    record_id = case(store)
    take_entries(home, "r1")
    store.change(record_id, 1, {"registered_on": "1999-03-01", "case_class": "要保護児童"}, by="ibu")
    take_entries(home, "r2")
    assert [row[0] for row in rows(home, DELIVERIES)] == ["withdrawn", "loaded"]
    store.change(record_id, 2, {"registered_on": "1998-03-01", "case_class": "要保護児童"}, by="ibu")
    assert take_entries(home, "r3") == []
    assert [row[0] for row in rows(home, DELIVERIES)] == ["loaded", "withdrawn"]


def test_a_deleted_entry_counts_no_more_and_an_erased_one_is_nowhere(home: Home) -> None:
    store = EntryStore(home)
    kept, gone = case(store), case(store, abuse_type="性的虐待")
    take_entries(home, "r1")
    store.delete(gone, 1, by="aoi", reason="誤入力")
    take_entries(home, "r2")
    in_force = f"select case_no from raw.council_cases {IN_FORCE}"
    assert rows(home, in_force) == [(record_number(kept),)]
    store.erase(gone, by="admin", reason="利用停止")
    take_entries(home, "r3")
    assert rows(home, "select count(*) from raw.council_cases where abuse_type = '性的虐待'") == [(0,)]
    originals = [path.read_bytes() for path in home.store.rglob("*") if path.is_file()]
    assert all("性的虐待".encode() not in content for content in originals)
    assert not list(home.entry_landing.rglob("*.csv"))


def test_decisions_and_supports_are_rows_of_their_own_tables(home: Home) -> None:
    store = EntryStore(home)
    decision = store.create(
        "decision",
        {"meeting_on": "2026-04-10", "decision": "watch", "agrees_with_tier": "no",
         "disagreement_reason": "転居は進学のため", "disagreement_item": "household_moves",
         "as_of_then": "2026-04-01"},
        by="aoi", department="child", person_id=PERSON,
    )  # fmt: skip
    support = store.create(
        "support", {"started_on": "2026-04-11", "support_content": "訪問", "decision_id": decision.record_id},
        by="aoi", department="child", person_id=PERSON,
    )  # fmt: skip
    for run in ("r1", "r2"):
        take_entries(home, run)
        assert rows(
            home,
            "select decision_id, meeting_on, agrees_with_tier, disagreement_item, as_of_then from raw.decisions",
        ) == [(decision.record_id, dt.date(2026, 4, 10), False, "household_moves", dt.date(2026, 4, 1))]
        assert rows(home, "select support_id, decision_id, outcome from raw.supports") == [
            (support.record_id, decision.record_id, None)
        ]
    store.change(
        support.record_id, 1, {"started_on": "2026-04-11", "support_content": "訪問", "outcome": "改善"}, by="ibu"
    )
    take_entries(home, "r3")
    assert rows(home, "select outcome from raw.supports") == [("改善",)]


def test_decision_of_a_steward_is_carried_out_once_and_an_impossible_one_is_reported(home: Home) -> None:
    store = EntryStore(home)
    case(store)
    (delivery,) = take_entries(home, "r1")
    with connect(home) as connection:
        connection.execute(
            "insert into raw.deliveries by name select * replace ('x-1' as delivery_id, 'held' as status, "
            "'full' as kind) from raw.deliveries"
        )
    release = store.create(
        "delivery_decision",
        {"delivery_id": "x-1", "decision": "release", "reason": "確認済み"},
        by="steward",
        department="child",
    )
    hopeless = store.create(
        "delivery_decision",
        {"delivery_id": "x-2", "decision": "release", "reason": "?"},
        by="steward",
        department="child",
    )
    take_entries(home, "r2")
    take_entries(home, "r3")
    assert rows(home, "select status, decided_by, reason from raw.delivery_events where delivery_id = 'x-1'") == [
        ("loaded", "steward", "確認済み")
    ]
    assert store.effect(release.record_id, 1)["outcome"] == "applied"
    assert store.effect(hopeless.record_id, 1)["outcome"] == "failed"
    assert delivery.delivery_id


def test_an_original_is_read_again_and_a_decision_taken_back_is_not_carried_out(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "landing" / "national_health_insurance" / "n_20260401.csv"
    file.parent.mkdir(parents=True)
    headings = "宛名番号,資格取得年月日,資格取得事由,資格喪失年月日,資格喪失事由,証区分"
    file.write_text(f"{headings}\n1,R5.4.1,転入,,,一般\n", encoding="cp932")
    (delivery,) = ingest_landing(home, file.parent.parent, "r1")
    store = EntryStore(home)

    def decide(decision: str) -> Version:
        content = {"delivery_id": delivery.delivery_id, "decision": decision, "reason": "確認"}
        return store.create("delivery_decision", content, by="steward", department="citizens")

    withdrawal, replay = decide("withdraw"), decide("replay")
    store.delete(withdrawal.record_id, 1, by="steward", reason="取り消し")
    take_entries(home, "r2")
    assert rows(home, "select status, decided_by from raw.delivery_events") == [("replayed", "steward")]
    assert rows(home, "select status, rows_loaded from raw.deliveries") == [("loaded", 1)]
    assert store.effect(replay.record_id, 1)["outcome"] == "applied"
    assert store.effect(withdrawal.record_id, 2) is None


def test_entries_while_runs_take_them_are_neither_lost_nor_doubled(home: Home) -> None:
    store = EntryStore(home)
    case(store)

    def enter(number: int) -> None:
        own = EntryStore(home)
        for i in range(3):
            own.create(
                "school_consultation",
                {**CONSULTATION, "summary": f"{number}-{i}"},
                by=f"u{number}", department="education", person_id=PERSON,
            )  # fmt: skip

    with ThreadPoolExecutor(20) as threads:
        entering = [threads.submit(enter, number) for number in range(20)]
        for run in range(3):
            take_entries(home, f"r{run}")
        for future in entering:
            future.result()
    take_entries(home, "last")
    loaded = rows(home, f"select summary from raw.school_consultations {IN_FORCE}")
    assert sorted(row[0] for row in loaded) == sorted(f"{n}-{i}" for n in range(20) for i in range(3))


def test_a_text_of_several_lines_is_one_record(home: Home) -> None:
    EntryStore(home).create(
        "school_consultation",
        {**CONSULTATION, "summary": '一行目\n"二"行目,続き'},
        by="aoi", department="education", person_id=PERSON,
    )  # fmt: skip
    (delivery,) = take_entries(home, "r1")
    assert (delivery.rows_read, delivery.rows_loaded) == (1, 1)
    assert rows(home, "select summary from raw.school_consultations") == [('一行目 "二"行目,続き',)]


def test_a_visit_is_delivered_with_the_department_that_recorded_it(home: Home) -> None:
    content = {"visited_on": "2026-03-30", "way": "訪問", "result": "会えた", "summary": "居間で\n話した"}
    record = EntryStore(home).create("visit", content, by="ibu", department="health", person_id=PERSON)
    take_entries(home, "r1")
    visits = rows(
        home, "select record_no, subject_no, visited_on, way, result, summary, department from raw.recorded_visits"
    )
    number = record_number(record.record_id)
    assert visits == [(number, PERSON, "2026-03-30", "訪問", "会えた", "居間で 話した", "health")]


def test_a_hand_over_is_delivered_with_the_leaving_that_it_is_about(home: Home) -> None:
    content = {"outcome": "引き継いだ", "handed_on": "2026-03-30", "handed_to": "隣の市", "left_on": "2026-03-20"}
    record = EntryStore(home).create("handover", content, by="ibu", department="health", person_id=PERSON)
    take_entries(home, "r1")
    delivered = rows(
        home,
        "select record_no, subject_no, left_on, outcome, handed_on, handed_to, department from raw.recorded_handovers",
    )
    number = record_number(record.record_id)
    assert delivered == [(number, PERSON, "2026-03-20", "引き継いだ", "2026-03-30", "隣の市", "health")]


def test_a_result_of_a_status_check_is_delivered(home: Home) -> None:
    content = {"checked_on": "2026-06-10", "check_result": "訪問して会えた", "seen_by": "保健師", "summary": "元気"}
    record = EntryStore(home).create("status_check", content, by="ibu", department="health", person_id=PERSON)
    take_entries(home, "r1")
    delivered = rows(
        home,
        "select record_no, subject_no, checked_on, check_result, seen_by, summary, department "
        "from raw.recorded_status_checks",
    )
    number = record_number(record.record_id)
    assert delivered == [(number, PERSON, "2026-06-10", "訪問して会えた", "保健師", "元気", "health")]


def test_a_result_of_telling_a_family_is_delivered_with_its_benefit(home: Home) -> None:
    content = {"checked_on": "2026-06-10", "benefit": "就学援助", "check_result": "申請を待っている"}
    record = EntryStore(home).create("benefit_check", content, by="ibu", department="welfare", person_id=PERSON)
    take_entries(home, "r1")
    delivered = rows(
        home,
        "select record_no, subject_no, checked_on, benefit, check_result, department from raw.recorded_benefit_checks",
    )
    number = record_number(record.record_id)
    assert delivered == [(number, PERSON, "2026-06-10", "就学援助", "申請を待っている", "welfare")]
