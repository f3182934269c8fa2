"""The tasks of data quality as they stand on a day: late by that day, sorted by harm, accepted with a reason."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from kodomo.access.access import read_access
from kodomo.entries.forms import forms, mistakes
from kodomo.entries.quality_tasks import (
    ACCEPT,
    ACCEPTED,
    DONE,
    FORM,
    HARMS_JA,
    OPEN,
    REOPEN,
    Task,
    decide,
    kinds,
    quality_tasks,
)
from kodomo.entries.store import ConflictError, EntryStore
from kodomo.home import Home
from kodomo.parameters import parameter

TODAY = dt.date(2026, 6, 10)
OVERSEER = ("child", "子ども若者課")


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    return EntryStore(Home(tmp_path / "var"))


def of_batch(kind: str = "reject", **more: Any) -> dict[str, Any]:
    row = {
        "task_id": more.get("task_id", kind), "kind": kind, "source_id": "vaccinations", "source_label": "予防接種",
        "holder": "health", "holder_label": "健康医療対策課", "heading": "", "detail_label": "", "delivery_id": "",
        "file_name": None, "item_count": 3, "since_on": dt.date(2026, 6, 1), "is_new": False, "done_on": None,
    }  # fmt: skip
    return {**row, **more}


def source(late_from: dt.date | None, **more: Any) -> dict[str, Any]:
    row = {
        "source_id": "vaccinations", "source_label": "予防接種", "holder": "health", "holder_label": "健康医療対策課",
        "rhythm": "毎月", "late_from": late_from,
        "last_delivered_on": late_from and late_from - dt.timedelta(days=40), "is_late": False,
    }  # fmt: skip
    return {**row, **more}


def tasks(store: EntryStore, *rows: dict[str, Any], **more: Any) -> list[Task]:
    given = {"sources": [], "published_on": None, "overseer": OVERSEER, "today": TODAY, **more}
    return quality_tasks(rows, store=store, **given)


def accept(store: EntryStore, task: Task, decision: str = ACCEPT, by: str = "aoi") -> None:
    decide(store, [task], {"decision": decision, "reason": "確かめた"}, by=by, department="health")


def test_list_is_ordered_by_harm_then_kind_then_size_then_age(store: EntryStore) -> None:
    rows = [
        of_batch("gaiji", item_count=900),
        of_batch("reject", task_id="few", item_count=2),
        of_batch("reject", task_id="many", item_count=40),
        of_batch("reject", task_id="many, older", item_count=40, since_on=dt.date(2026, 5, 1)),
        of_batch("unknown_code", item_count=1),
        of_batch("interpreted_date", item_count=800),
        of_batch("held"),
        of_batch("measure_without_class", item_count=1),
    ]
    listed = tasks(store, *rows, sources=[source(dt.date(2026, 6, 9))], published_on=dt.date(2026, 5, 1))
    assert [task.kind.kind for task in listed] == [
        "batch_stopped", "measure_without_class", "late", "held", "unknown_code", "reject", "reject", "reject",
        "interpreted_date", "gaiji",
    ]  # fmt: skip
    assert [task.task_id for task in listed if task.kind.kind == "reject"] == ["many, older", "many", "few"]
    harms = [task.kind.harm for task in listed]
    assert harms == sorted(harms)


@pytest.mark.parametrize(("late_from", "days"), [("2026-06-11", None), ("2026-06-10", 0), ("2026-05-11", 30)])
def test_delivery_is_late_by_today_though_the_batch_said_that_it_is_not(
    store: EntryStore, late_from: str, days: int | None
) -> None:
    listed = tasks(store, sources=[source(dt.date.fromisoformat(late_from))])
    assert [task.kind.kind for task in listed] == ([] if days is None else ["late"])
    if days is not None:
        assert f"期限を{days}日過ぎています" in listed[0].detail
        assert listed[0].since_on == dt.date.fromisoformat(late_from)


def test_source_that_never_came_is_late(store: EntryStore) -> None:
    [task] = tasks(store, sources=[source(None)])
    assert (task.kind.kind, task.since_on, task.holder) == ("late", None, "health")
    assert "まだ一度も届いていません" in task.detail


def test_acceptance_of_a_late_delivery_ends_with_the_next_one(store: EntryStore) -> None:
    accept(store, tasks(store, sources=[source(dt.date(2026, 6, 1))])[0])
    assert tasks(store, sources=[source(dt.date(2026, 6, 1))])[0].state == ACCEPTED
    assert tasks(store, sources=[source(dt.date(2026, 6, 8))])[0].state == OPEN


def test_batches_have_stopped_after_the_days_of_the_parameter(store: EntryStore) -> None:
    days = parameter("batch_stopped_after_days")
    assert tasks(store, published_on=TODAY - dt.timedelta(days=days)) == []
    [task] = tasks(store, published_on=TODAY - dt.timedelta(days=days + 1))
    assert (task.kind.kind, task.holder, task.since_on) == (
        "batch_stopped", "child", TODAY - dt.timedelta(days=days + 1),
    )  # fmt: skip


def test_accepted_task_says_who_when_and_why(store: EntryStore) -> None:
    accept(store, tasks(store, of_batch())[0], by="steward_health")
    [task] = tasks(store, of_batch())
    assert task.state == ACCEPTED
    assert task.acceptance is not None
    assert task.acceptance.entered_by == "steward_health"
    assert task.acceptance.content["reason"] == "確かめた"
    assert tasks(store, of_batch(task_id="another"))[0].state == OPEN


def test_accepted_task_is_open_again_when_it_has_grown(store: EntryStore) -> None:
    accept(store, tasks(store, of_batch(item_count=10))[0])
    assert tasks(store, of_batch(item_count=12))[0].state == ACCEPTED
    assert tasks(store, of_batch(item_count=13))[0].state == OPEN


def test_task_is_opened_and_accepted_again_as_versions_of_one_record(store: EntryStore) -> None:
    accept(store, tasks(store, of_batch())[0])
    accept(store, tasks(store, of_batch())[0], REOPEN)
    [task] = tasks(store, of_batch())
    assert task.state == OPEN
    accept(store, task)
    [version] = store.current(FORM)
    assert version.version == 3
    with pytest.raises(ConflictError):
        accept(store, task, REOPEN)


def test_task_that_the_batch_does_not_show_any_more_is_done_for_a_while(store: EntryStore) -> None:
    days = parameter("done_tasks_shown_days")
    accept(store, tasks(store, of_batch())[0])
    assert tasks(store, of_batch(done_on=TODAY - dt.timedelta(days=days)))[0].state == DONE
    assert tasks(store, of_batch(done_on=TODAY - dt.timedelta(days=days + 1))) == []


def test_every_kind_says_what_to_do_and_names_a_page_that_stewards_have() -> None:
    pages = read_access().entry_pages
    for kind in kinds().values():
        assert kind.harm in HARMS_JA
        assert kind.to_do_ja
        assert kind.page is None or "steward" in pages[kind.page].duties


def test_acceptance_needs_a_reason() -> None:
    assert set(mistakes(forms()[FORM], {"task": "x", "decision": ACCEPT})) == {"reason"}
