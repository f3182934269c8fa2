"""Who left and who came, with what staff recorded since the batch."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from kodomo.data_subjects.person_requests import erase_typed
from kodomo.entries.forms import forms, mistakes
from kodomo.entries.leavers import arrivals, closes, leavers, reasons_for, receivers
from kodomo.entries.store import EntryStore, Version
from kodomo.home import Home

LEFT_ON = dt.date(2026, 3, 10)


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    return EntryStore(Home(tmp_path / "var"))


def left(person_id: str = "p1", left_on: dt.date | None = LEFT_ON, *, is_open: bool = True) -> dict[str, Any]:
    return {"person_id": person_id, "left_on": left_on, "is_open": is_open}


def record(store: EntryStore, handed_on: str, left_on: str | None = "2026-03-10", **more: Any) -> Version:
    content = {"outcome": "引き継いだ", "handed_on": handed_on, **({"left_on": left_on} if left_on else {})}
    return store.create("handover", content, by="aoi", **{"department": "child", "person_id": "p1", **more})


def test_child_is_open_until_its_hand_over_is_recorded(store: EntryStore) -> None:
    record(store, "2026-03-20", person_id="p2")
    assert [one.is_open for one in leavers([left()], store)] == [True]
    kept = record(store, "2026-03-20")
    [one] = leavers([left()], store)
    assert (one.is_open, one.record, one.handed_on) == (False, kept, dt.date(2026, 3, 20))


def test_hand_over_before_the_move_counts_for_the_leaving_it_names(store: EntryStore) -> None:
    record(store, "2026-03-01")
    assert not leavers([left()], store)[0].is_open


def test_hand_over_of_an_earlier_leaving_does_not_close_a_later_one(store: EntryStore) -> None:
    record(store, "2025-05-02", left_on="2025-05-01")
    assert leavers([left()], store)[0].is_open
    assert not leavers([left(left_on=dt.date(2025, 5, 2))], store)[0].is_open


def test_deleted_record_opens_the_leaving_again_before_the_next_batch(store: EntryStore) -> None:
    assert not leavers([left(is_open=False)], store)[0].is_open
    kept = record(store, "2026-03-20")
    store.delete(kept.record_id, 1, by="aoi", reason="別の子ども")
    assert leavers([left(is_open=False)], store)[0].is_open


def test_newest_of_several_records_is_shown(store: EntryStore) -> None:
    newest = record(store, "2026-03-25")
    record(store, "2026-03-20")
    assert leavers([left()], store)[0].record == newest


def test_those_who_wait_longest_come_first_and_unknown_days_before_them(store: EntryStore) -> None:
    rows = [left("a"), left("b", dt.date(2026, 1, 1)), left("c", None)]
    assert [one.person_id for one in leavers(rows, store)] == ["c", "b", "a"]


def test_record_closes_a_leaving_of_unknown_day(store: EntryStore) -> None:
    assert closes(record(store, "2026-03-20", left_on=None), None)
    assert not closes(record(store, "2026-03-09", left_on=None), LEFT_ON)


def test_arrival_waits_until_a_visit_shows_the_child(store: EntryStore) -> None:
    rows = [
        {"person_id": "p1", "arrived_on": dt.date(2026, 3, 1), "see_by_on": dt.date(2026, 3, 31)},
        {"person_id": "p2", "arrived_on": dt.date(2026, 2, 1), "see_by_on": dt.date(2026, 2, 15)},
        {"person_id": "p3", "arrived_on": dt.date(2026, 2, 1), "see_by_on": None},
    ]
    for day, result in (("2026-02-28", "会えた"), ("2026-03-20", "会えなかった"), ("2026-03-21", "拒否")):
        content = {"visited_on": day, "way": "訪問", "result": result}
        store.create("visit", content, by="aoi", department="health", person_id="p1")
    assert [row["person_id"] for row in arrivals(rows, store)] == ["p2", "p1", "p3"]
    content = {"visited_on": "2026-03-01", "way": "訪問", "result": "会えた"}
    store.create("visit", content, by="aoi", department="health", person_id="p1")
    assert [row["person_id"] for row in arrivals(rows, store)] == ["p2", "p3"]


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ({"outcome": "引き継いだ", "handed_on": "2026-03-20", "handed_to": "隣市"}, set()),
        ({"outcome": "引き継いだ", "handed_on": "2026-03-20"}, {"handed_to"}),
        ({"outcome": "引継ぎは要らない", "handed_on": "2026-03-20", "reason": "親族宅へ一時的に移った"}, set()),
        ({"outcome": "引継ぎは要らない", "handed_on": "2026-03-20"}, {"reason"}),
        ({"outcome": "引き継いだ", "handed_to": "隣市"}, {"handed_on"}),
        (
            {"outcome": "引き継いだ", "handed_on": "2026-03-20", "handed_to": "隣市", "received_on": "2026-03-19"},
            {"received_on"},
        ),
        ({"outcome": "引き継いだ", "handed_on": "2999-01-01", "handed_to": "隣市"}, {"handed_on"}),
    ],
)  # fmt: skip
def test_record_says_to_whom_or_why_not(content: dict[str, str], wrong: set[str]) -> None:
    assert set(mistakes(forms()["handover"], content)) == wrong


def test_school_learns_nothing_of_cases_tiers_and_chains() -> None:
    school, city = receivers()["school"], receivers()["city_centre"]
    assert not any((school.knows_case, school.knows_tier, school.knows_vertical, school.knows_horizontal))
    assert school.knows_family
    assert city.knows_case
    assert city.knows_vertical
    assert all(receiver.legal_basis_ja for receiver in receivers().values())


def test_tier_is_a_reason_for_those_only_who_may_know_tiers() -> None:
    assert reasons_for(receivers()["city_centre"], "council_case|tier") == ["要対協のケース", "リスクの段階"]
    assert reasons_for(receivers()["adult_services"], "council_case|tier") == ["要対協のケース"]
    assert reasons_for(receivers()["adult_services"], "tier") == []


@pytest.mark.parametrize("source", ["recorded_handovers", "all"])
def test_granted_deletion_erases_what_was_recorded_of_a_hand_over(store: EntryStore, source: str) -> None:
    erased, kept = record(store, "2026-03-20"), record(store, "2026-03-21", person_id="p2")
    request = {"requested_on": "2026-04-02", "request": "deletion", "about": "引継ぎ", "outcome": "accepted"}
    content = {**request, "data_source": source}
    store.create("person_request", content, by="c", department="child", person_id="p1")
    erase_typed(store)
    assert [dict(version.content) for version in store.history(erased.record_id)] == [{}, {}]
    assert store.current("handover") == [kept]
