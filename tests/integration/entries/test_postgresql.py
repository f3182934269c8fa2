"""Entries on PostgreSQL, by the same setting as Superset's metadata: written, locked, backed up, restored."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kodomo.entries.store import ConflictError, EntryStore
from kodomo.home import Home
from orchestration.operations import upgrade as operations
from orchestration.operations.backup import backup, restore
from orchestration.operations.upgrade import put_back, upgrade
from tests.integration.superset_config import test_metadata

pytestmark = pytest.mark.slow
postgresql = test_metadata.postgresql


def test_entries_may_be_on_postgresql(tmp_path: Path, postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KODOMO_METADATA_URI", postgresql)
    home = Home(tmp_path / "var")
    store = EntryStore(home)
    record_id = store.create("paper_case", {"a": "一"}, by="aoi", department="child").record_id

    def change(number: int) -> bool:
        try:
            EntryStore(home).change(record_id, 1, {"a": str(number)}, by=f"u{number}")
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(10) as threads:
        assert sum(threads.map(change, range(10))) == 1
    assert len(store.history(record_id)) == 2
    assert not home.entries.exists()
    folder = backup(home, tmp_path / "backup")
    before = store.newest(record_id).content
    store.change(record_id, 2, {"a": "後"}, by="aoi")
    restore(Home(tmp_path / "other"), folder)
    assert store.newest(record_id).content == before


def test_the_way_back_from_an_upgrade_gives_back_the_database_and_keeps_the_later_one(
    tmp_path: Path, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KODOMO_METADATA_URI", postgresql)
    # Superset's own migrations take half a minute.
    monkeypatch.setattr(operations, "_metadata", lambda _home: "")
    home = Home(tmp_path / "var")
    store = EntryStore(home)
    record_id = store.create("paper_case", {"a": "前"}, by="aoi", department="child").record_id
    upgrade(home)
    store.change(record_id, 1, {"a": "後"}, by="aoi")
    put_back(home)
    assert store.newest(record_id).content == {"a": "前"}
    later = next(tmp_path.glob("var.database-*"))
    restore(Home(tmp_path / "other"), later)
    assert store.newest(record_id).content == {"a": "後"}
