"""Notices by the publication in service: judged again when it, the day or the entries change, and not otherwise."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from kodomo.determination import notices as work
from kodomo.determination.notices import bring_up_to_date
from kodomo.entries.notices import judged, notices
from kodomo.entries.store import EntryStore
from kodomo.home import Home

TODAY = dt.date(2026, 4, 1)
DAY = dt.timedelta(days=1)


def publish(home: Home, name: str, *unseen: str) -> None:
    """Put children in service, those of whom ``unseen`` were not seen in time; of an earlier version without more."""
    folder = home.published / name
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "everything.duckdb")) as connection:
        connection.execute(
            "create schema marts; create table marts.bi_child as select unnest(['p1', 'p2']) as person_id, "
            "date '2026-04-01' as as_of_on, 'D' as priority_class, null::date as due_on, false as is_unborn, "
            "date '2026-01-01' as last_seen_on, date '2026-03-01' as seen_by_on, 59 as sighting_limit_days"
        )
        connection.execute("alter table marts.bi_child add column is_sighting_overdue boolean")
        connection.execute("update marts.bi_child set is_sighting_overdue = list_contains(?, person_id)", [unseen])
    link = home.published / "current"
    link.unlink(missing_ok=True)
    link.symlink_to(name)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "var").ensure()


@pytest.fixture
def store(home: Home) -> EntryStore:
    return EntryStore(home)


def standing(store: EntryStore) -> set[str]:
    with store.engine.connect() as connection:
        return {row.person_id for row in connection.execute(notices.select()) if row.ended_at is None}


def visit(store: EntryStore, person_id: str) -> None:
    content = {"visited_on": "2026-03-31", "way": "訪問", "result": "会えた"}
    store.create("visit", content, by="a", department="child", person_id=person_id)


def test_nothing_is_judged_before_the_first_publication(home: Home, store: EntryStore) -> None:
    assert not bring_up_to_date(home, store, TODAY)
    assert judged(store) is None


def test_publication_day_and_entry_are_judged_once_each(home: Home, store: EntryStore) -> None:
    publish(home, "r1", "p1")
    assert bring_up_to_date(home, store, TODAY)
    assert standing(store) == {"p1"}
    assert not bring_up_to_date(home, store, TODAY)
    assert bring_up_to_date(home, store, TODAY + DAY)
    publish(home, "r2", "p1", "p2")
    assert bring_up_to_date(home, store, TODAY + DAY)
    assert standing(store) == {"p1", "p2"}
    visit(store, "p1")
    assert bring_up_to_date(home, store, TODAY + DAY)
    assert standing(store) == {"p2"}
    assert not bring_up_to_date(home, store, TODAY + DAY)


def test_after_an_entry_only_its_child_is_judged(
    home: Home, store: EntryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(home, "r1", "p1", "p2")
    bring_up_to_date(home, store, TODAY)
    asked = []
    events = work.events
    monkeypatch.setattr(
        work, "events", lambda people, *rest: asked.append(set(people.children())) or events(people, *rest)
    )
    visit(store, "p1")
    bring_up_to_date(home, store, TODAY)
    assert asked == [{"p1"}]
    assert standing(store) == {"p2"}


def test_erased_entry_has_everybody_judged(home: Home, store: EntryStore) -> None:
    publish(home, "r1", "p1", "p2")
    visit(store, "p1")
    bring_up_to_date(home, store, TODAY)
    assert standing(store) == {"p2"}
    store.erase(store.current("visit")[0].record_id, by="a", reason="r")
    bring_up_to_date(home, store, TODAY)
    assert standing(store) == {"p1", "p2"}
