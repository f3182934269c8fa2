"""Children to be looked for, with what staff recorded since the batch, and the yearly return."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from kodomo.entries.follow_ups import open_results, result_labels
from kodomo.entries.forms import forms, mistakes
from kodomo.entries.status_checks import FORM, RESULTS, checks, yearly_return
from kodomo.entries.store import EntryStore, Version
from kodomo.home import Home

LIST_ON = dt.date(2026, 6, 1)


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    return EntryStore(Home(tmp_path / "var"))


def listed(person_id: str = "p1", **more: Any) -> dict[str, Any]:
    row = {
        "person_id": person_id, "list_on": LIST_ON, "counts_until_on": dt.date(2027, 6, 1), "criterion_order": 1,
        "area_order": 1, "child_label": person_id, "is_candidate": True, "standing_label": "状況確認の対象",
        "result": None, "result_label": "未着手", "result_on": None, "is_recorded": False, "is_open": True,
    }  # fmt: skip
    return {**row, **more}


def record(store: EntryStore, checked_on: str, check_result: str, person_id: str = "p1") -> Version:
    content = {"checked_on": checked_on, "check_result": check_result}
    return store.create(FORM, content, by="aoi", department="health", person_id=person_id)


def state(row: dict[str, Any], store: EntryStore) -> tuple[str, dt.date | None, bool]:
    [check] = checks([row], store)
    return check.result_ja, check.result_on, check.is_open


def test_child_is_looked_for_until_a_result_is_recorded(store: EntryStore) -> None:
    record(store, "2026-06-02", "出国を確認した", person_id="p2")
    assert state(listed(), store) == ("未着手", None, True)
    record(store, "2026-06-01", "出国を確認した")
    assert state(listed(), store) == ("出国を確認した", LIST_ON, False)


@pytest.mark.parametrize(("checked_on", "is_open"), [
    ("2026-05-31", True), ("2026-06-01", False), ("2027-05-31", False), ("2027-06-01", True),
])  # fmt: skip
def test_record_counts_for_the_months_of_the_list(store: EntryStore, checked_on: str, is_open: bool) -> None:
    record(store, checked_on, "訪問して会えた")
    assert state(listed(), store)[2] is is_open


@pytest.mark.parametrize("result", ["所在が分からない", "調べている"])
def test_child_that_is_not_traced_stays_on_the_list(store: EntryStore, result: str) -> None:
    record(store, "2026-06-10", result)
    assert state(listed(), store) == (result, dt.date(2026, 6, 10), True)


def test_newest_record_counts(store: EntryStore) -> None:
    record(store, "2026-06-12", "調べている")
    record(store, "2026-06-10", "転出・転居先を確認した")
    assert state(listed(), store) == ("調べている", dt.date(2026, 6, 12), True)


def test_what_the_deliveries_show_closes_a_search_and_a_record_stands_above_it(store: EntryStore) -> None:
    row = listed(result="moved", result_label="転出", result_on=dt.date(2026, 6, 20), is_open=False)
    record(store, "2026-06-12", "調べている")
    assert state(row, store) == ("転出", dt.date(2026, 6, 20), False)
    record(store, "2026-06-13", "出国を確認した")
    assert state(row, store) == ("出国を確認した", dt.date(2026, 6, 13), False)


def test_deleted_record_opens_the_check_again_before_the_next_batch(store: EntryStore) -> None:
    row = listed(result="seen", result_label="目視で確認した", result_on=LIST_ON, is_recorded=True, is_open=False)
    kept = record(store, "2026-06-01", "目視で確認した")
    assert not state(row, store)[2]
    store.delete(kept.record_id, 1, by="aoi", reason="別の子ども")
    assert state(row, store) == ("未着手", None, True)


@pytest.mark.parametrize(("day", "result", "is_open"), [
    ("2026-06-02", "会えた", False), ("2026-06-01", "会えた", True), ("2026-06-02", "会えなかった", True),
])  # fmt: skip
def test_visit_after_the_list_shows_the_child(store: EntryStore, day: str, result: str, is_open: bool) -> None:
    content = {"visited_on": day, "way": "訪問", "result": result}
    store.create("visit", content, by="aoi", department="health", person_id="p1")
    assert state(listed(), store)[2] is is_open


def test_child_that_was_left_out_is_never_open(store: EntryStore) -> None:
    row = listed(is_candidate=False, standing_label="別に確認されている", is_open=False)
    assert state(row, store) == ("別に確認されている", None, False)


def test_those_to_be_looked_for_come_first(store: EntryStore) -> None:
    record(store, "2026-06-02", "死亡を確認した", person_id="a")
    rows = [listed("a"), listed("b", criterion_order=2), listed("c", area_order=2), listed("d")]
    assert [check.person_id for check in checks(rows, store)] == ["d", "c", "b", "a"]


def test_choices_of_the_form_are_the_results_of_the_code_list() -> None:
    assert list(forms()[FORM].field("check_result").choices) == list(result_labels(RESULTS).values())
    assert open_results(RESULTS) == {"所在が分からない", "調べている"}


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ({"checked_on": "2026-06-02", "check_result": "目視で確認した", "seen_by": "園長"}, set()),
        ({"checked_on": "2026-06-02", "check_result": "訪問して会えた"}, {"seen_by"}),
        ({"checked_on": "2026-06-02", "check_result": "出国を確認した"}, set()),
        ({"check_result": "出国を確認した"}, {"checked_on"}),
        ({"checked_on": "2026-06-02", "check_result": "たぶん元気"}, {"check_result"}),
        ({"checked_on": "2999-01-01", "check_result": "死亡を確認した"}, {"checked_on"}),
    ],
)
def test_record_says_what_came_of_it_and_who_saw_the_child(content: dict[str, str], wrong: set[str]) -> None:
    assert set(mistakes(forms()[FORM], content, today=dt.date(2026, 12, 1))) == wrong


def count(list_kind: str, criterion: str, standing: str, children: int, result: str | None = None) -> dict[str, Any]:
    on = {"this_year": LIST_ON, "last_year": dt.date(2025, 6, 2), "now": dt.date(2026, 7, 1)}[list_kind]
    return {
        "list_kind": list_kind, "list_on": on, "criterion": criterion, "standing": standing, "result": result,
        "children": children,
    }  # fmt: skip


COUNTS = [
    count("this_year", "checkup", "as_expected", 70), count("this_year", "no_school", "as_expected", 200),
    count("this_year", "checkup", "candidate", 3), count("this_year", "checkup", "candidate", 2, "seen"),
    count("this_year", "no_school", "candidate", 1, "untraced"), count("this_year", "no_nursery", "arrived", 4),
    count("last_year", "no_nursery", "candidate", 9, "departed"), count("now", "checkup", "candidate", 99),
]  # fmt: skip


def test_lines_of_the_return_add_up() -> None:
    numbers = yearly_return(COUNTS)
    for year in ("this_year", "last_year"):
        lines = [(line.level, getattr(line, year)) for line in numbers.lines]
        for column in range(4):
            whole = sum(counts[column] for level, counts in lines if level == 0)
            assert whole == sum(counts[column] for level, counts in lines if level == 1)
        assert all(sum(counts[:-1]) == counts[-1] for _, counts in lines)
    by_label = {line.label_ja: line for line in numbers.lines}
    candidates = by_label["状況確認の対象"].this_year
    assert candidates == (5, 0, 1, 6)
    results = [line.this_year for line in numbers.lines if line.level == 2]
    assert tuple(map(sum, zip(*results, strict=True))) == candidates
    assert by_label["出生から小学校修了までの子ども"].this_year == (75, 4, 201, 280)
    assert by_label["未着手"].this_year == (3, 0, 0, 3)
    assert by_label["出国を確認した"].last_year == (0, 9, 0, 9)


def test_file_has_last_year_beside_this_year_and_every_line_of_the_lists() -> None:
    heading, *records = yearly_return(COUNTS).table()
    assert len(records) == 1 + 7 + 10
    assert {len(one) for one in (heading, *records)} == {2 + 4 + 4}
    assert heading[5] == "計（2026-06-01）"
    assert heading[9] == "前年 計（2025-06-02）"


def test_year_without_a_list_is_empty_and_not_zero() -> None:
    numbers = yearly_return([one for one in COUNTS if one["list_kind"] != "last_year"])
    assert all(line.last_year is None for line in numbers.lines)
    assert numbers.table()[1][6:] == ["", "", "", ""]
    assert numbers.table()[0][9] == "前年 計（一覧なし）"
