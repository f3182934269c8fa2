"""When a child was last seen, with the visits that staff recorded since the batch."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from kodomo.entries.store import EntryStore, Version
from kodomo.entries.visits import last_seen, newest_visits
from kodomo.home import Home

CHILD = {
    "person_id": "p1", "as_of_on": dt.date(2026, 4, 1), "is_unborn": False, "last_seen_on": dt.date(2026, 1, 31),
    "last_seen_by": "学校への出席（教育委員会）", "sighting_limit_days": 60, "seen_by_on": dt.date(2026, 4, 1),
    "is_sighting_overdue": False,
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    return EntryStore(Home(tmp_path / "var"))


def visit(store: EntryStore, day: str, result: str = "会えた", **more: Any) -> Version:
    content = {"visited_on": day, "way": "訪問", "result": result}
    return store.create("visit", content, by="aoi", **{"department": "health", "person_id": "p1", **more})


def test_the_newest_visit_that_shows_the_child_counts(store: EntryStore) -> None:
    visit(store, "2026-03-01")
    newest = visit(store, "2026-03-20")
    visit(store, "2026-03-10")
    visit(store, "2026-03-30", "会えなかった")
    visit(store, "2026-03-31", "拒否")
    deleted = visit(store, "2026-03-29")
    store.delete(deleted.record_id, 1, by="aoi", reason="別の子ども")
    assert newest_visits(store) == {"p1": newest}


def test_a_visit_moves_the_limit_and_is_named_to_those_who_may_see_it(store: EntryStore) -> None:
    newest = visit(store, "2026-03-20")
    seen = last_seen(CHILD, newest, {"health"})
    assert seen is not None
    assert (seen.on, seen.by, seen.due_on, seen.is_overdue, seen.is_from_entry) == (
        dt.date(2026, 3, 20), "訪問（健康医療対策課）", dt.date(2026, 5, 19), False, True,
    )  # fmt: skip
    hidden = last_seen(CHILD, newest, {"education"})
    assert hidden is not None
    assert (hidden.on, hidden.by) == (dt.date(2026, 3, 20), "")


def test_an_older_visit_changes_nothing(store: EntryStore) -> None:
    seen = last_seen(CHILD, visit(store, "2026-01-31"), {"health"})
    assert seen is not None
    assert (seen.on, seen.by, seen.is_from_entry) == (CHILD["last_seen_on"], CHILD["last_seen_by"], False)


def test_a_visit_can_be_too_long_ago(store: EntryStore) -> None:
    never = {**CHILD, "last_seen_on": None, "seen_by_on": None, "is_sighting_overdue": True}
    seen = last_seen(never, visit(store, "2026-01-30"))
    assert seen is not None
    assert (seen.due_on, seen.is_overdue) == (dt.date(2026, 3, 31), True)


@pytest.mark.parametrize("child", [{**CHILD, "is_unborn": True}, {"person_id": "p1", "is_unborn": False}])
def test_no_child_before_birth_and_no_reader_without_the_columns_has_a_last_sighting(child: dict[str, Any]) -> None:
    assert last_seen(child, None) is None
