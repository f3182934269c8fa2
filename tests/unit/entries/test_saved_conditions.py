"""Saved conditions: who is on the list, and what changed since an earlier publication."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from kodomo.entries.conditions import Conditions
from kodomo.entries.saved_conditions import FORM, as_text, saved, watch
from kodomo.entries.store import EntryStore, Version
from kodomo.home import Home
from tests.unit.entries.test_conditions import TODAY, Village


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    return EntryStore(Home(tmp_path / "var"))


def save(store: EntryStore, department: str = "child", **chosen: str) -> Version:
    content = {"name": "未把握", "conditions": as_text(chosen)}
    return store.create(FORM, content, by="aoi", department=department)


def seen(store: EntryStore, version: Version, publication: str, *, without: Any = (), scope: str = "all") -> Any:
    village = Village()
    for person_id in without:
        del village.by_id[person_id]
    return watch(version, Conditions(village, store, TODAY), store, scope, publication)


def test_list_is_compared_with_an_earlier_publication(store: EntryStore) -> None:
    version = save(store, known="unknown")
    first = seen(store, version, "p1", without=["a"])
    assert (first.person_ids, first.since, first.joined, first.left) == ({"c"}, None, frozenset(), frozenset())
    for _ in range(2):
        # However often it is seen in one publication.
        second = seen(store, version, "p2", without=["c"])
        assert (second.joined, second.left) == ({"a"}, {"c"})
        assert second.since <= dt.datetime.now(dt.UTC).replace(tzinfo=None)
    third = seen(store, version, "p3")
    assert (third.joined, third.left) == ({"c"}, frozenset())
    # Of the lists only this one and the one before are kept.
    assert store.seen_before(version.record_id, "all", "p3")[1] == {"a"}
    assert store.seen_before(version.record_id, "all", "p2")[1] == {"a", "c"}


def test_scopes_have_lists_of_their_own(store: EntryStore) -> None:
    version = save(store, known="unknown")
    seen(store, version, "p1", without=["a"])
    assert seen(store, version, "p2", scope="area").since is None


def test_condition_that_cannot_be_judged_has_no_list(store: EntryStore) -> None:
    version = save(store, school="閉校した小学校")
    result = seen(store, version, "p1")
    assert (result.is_judged, result.person_ids) == (False, frozenset())
    assert store.seen_before(version.record_id, "all", "p2") is None


def test_conditions_are_those_of_the_department(store: EntryStore) -> None:
    mine, other = save(store, known="unknown"), save(store, "education", known="known")
    assert saved(store, ["child"]) == [mine]
    assert saved(store, ["education", "health"]) == [other]
