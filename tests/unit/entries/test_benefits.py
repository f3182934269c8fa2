"""Families who may have a benefit to claim, with what staff recorded since the batch."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from kodomo.entries.benefits import FORM, RESULTS, unclaimed_benefits
from kodomo.entries.follow_ups import open_results, result_labels
from kodomo.entries.forms import forms, mistakes
from kodomo.entries.store import EntryStore, Version
from kodomo.home import Home
from kodomo.seeds import read_seed


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    return EntryStore(Home(tmp_path / "var"))


def listed(person_id: str = "p1", **more: Any) -> dict[str, Any]:
    row = {
        "person_id": person_id, "benefit_label": "児童手当", "benefit_order": 1, "area_order": 1,
        "child_label": person_id, "is_candidate": True, "standing_label": "案内が要る",
        "counts_after_on": dt.date(2025, 6, 1),
    }  # fmt: skip
    return {**row, **more}


def record(store: EntryStore, checked_on: str, check_result: str, benefit: str = "児童手当") -> Version:
    content = {"checked_on": checked_on, "check_result": check_result, "benefit": benefit}
    return store.create(FORM, content, by="aoi", department="child", person_id="p1")


def state(row: dict[str, Any], store: EntryStore) -> tuple[str, bool]:
    [one] = unclaimed_benefits([row], store)
    return one.result_ja, one.is_open


def test_family_is_to_be_told_until_a_result_is_recorded(store: EntryStore) -> None:
    assert state(listed(), store) == ("未着手", True)
    record(store, "2026-06-02", "申請につながった")
    assert state(listed(), store) == ("申請につながった", False)
    assert state(listed("p2"), store) == ("未着手", True)


def test_record_closes_the_benefit_that_it_names(store: EntryStore) -> None:
    record(store, "2026-06-02", "すでに受けている", benefit="就学援助")
    assert state(listed(), store) == ("未着手", True)
    assert state(listed(benefit_label="就学援助"), store) == ("すでに受けている", False)


@pytest.mark.parametrize(("day", "is_open"), [("2025-06-01", True), ("2025-06-02", False)])
def test_record_counts_for_a_year(store: EntryStore, day: str, is_open: bool) -> None:
    record(store, day, "案内したが希望しない")
    assert state(listed(), store)[1] is is_open


@pytest.mark.parametrize("result", ["申請を待っている", "連絡がつかない"])
def test_family_that_waits_or_is_not_reached_stays_on_the_list(store: EntryStore, result: str) -> None:
    record(store, "2026-06-02", result)
    assert state(listed(), store) == (result, True)


def test_deleted_record_opens_the_row_again_before_the_next_batch(store: EntryStore) -> None:
    kept = record(store, "2026-06-02", "要件に当たらない")
    row = listed(standing="checked", standing_label="案内の記録がある")
    assert state(row, store) == ("要件に当たらない", False)
    store.delete(kept.record_id, 1, by="aoi", reason="別の子ども")
    assert state(row, store) == ("未着手", True)


def test_row_that_was_left_out_is_never_open(store: EntryStore) -> None:
    assert state(listed(is_candidate=False, standing_label="施設で暮らしている"), store) == (
        "施設で暮らしている",
        False,
    )


def test_choices_of_the_form_are_the_words_of_the_code_lists() -> None:
    form = forms()[FORM]
    assert list(form.field("benefit").choices) == list(result_labels("benefit").values())
    assert list(form.field("check_result").choices) == list(result_labels(RESULTS).values())
    assert open_results(RESULTS) == {"申請を待っている", "連絡がつかない"}
    assert {rule["benefit"] for rule in read_seed("unclaimed_rules")} == set(result_labels("benefit"))


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({"check_result": "すでに受けている"}, set()),
        ({"check_result": "要件に当たらない"}, {"summary"}),
        ({"check_result": "要件に当たらない", "summary": "公務員"}, set()),
        ({}, {"check_result"}),
        ({"check_result": "すでに受けている", "benefit": "住宅手当"}, {"benefit"}),
    ],
)
def test_record_names_the_benefit_and_why_a_family_is_not_entitled(more: dict[str, str], wrong: set[str]) -> None:
    content = {"checked_on": "2026-06-02", "benefit": "児童手当", **more}
    assert set(mistakes(forms()[FORM], content, today=dt.date(2026, 12, 1))) == wrong
