"""Backup and restore onto an empty folder."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import duckdb
import pytest

from kodomo.entries.store import EntryStore
from kodomo.errors import KodomoError, UsageError
from kodomo.home import Home, Kept
from kodomo.publication import current, publish
from orchestration.operations.backup import backup, restore
from tests.security.scratch import write_warehouse


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with something of each kind, made once."""
    home = Home(tmp_path_factory.mktemp("filled") / "var").ensure()
    write_warehouse(home.warehouse)
    publish(home, "r1")
    EntryStore(home).create("paper_case", {"case_class": "要保護児童"}, by="aoi", department="child", person_id="p1")
    home.superset.mkdir()
    with contextlib.closing(sqlite3.connect(home.superset / "superset.db")) as connection:
        connection.execute("create table marks (mark text)")
        connection.execute("insert into marks values ('here')")
        connection.commit()
    home.secret_key.write_text("s", encoding="ascii")
    home.notifications.write_text("channels: []", encoding="utf-8")
    home.compiled.mkdir(parents=True)
    (home.compiled / "scores.sql").write_text("select 1", encoding="utf-8")
    return home


@pytest.fixture
def home(filled: Home, tmp_path: Path) -> Home:
    return Home(shutil.copytree(filled.root, tmp_path / "var", symlinks=True))


def test_everything_is_back_in_an_empty_home(home: Home, tmp_path: Path) -> None:
    folder = backup(home, tmp_path / "backup")
    restored = Home(tmp_path / "other" / "var").ensure()
    # A lock leaves its file, and no state.
    restored.entries_lock.touch()
    restored.run_lock.touch()
    assert restore(restored, folder) > 5
    assert [v.content for v in EntryStore(restored).current()] == [v.content for v in EntryStore(home).current()]
    with contextlib.closing(sqlite3.connect(restored.superset / "superset.db")) as connection:
        assert connection.execute("select mark from marks").fetchall() == [("here",)]
    with duckdb.connect(str(restored.warehouse), read_only=True) as connection:
        assert connection.execute("select count(*) from marts.bi_child").fetchall()[0][0] > 0
    in_service = current(restored)
    assert in_service == restored.published / "r1"
    assert (restored.superset / "secret.key").read_text(encoding="ascii") == "s"
    assert (restored.dbt / "target" / "compiled" / "scores.sql").read_text(encoding="utf-8") == "select 1"
    assert restored.notifications.read_text(encoding="utf-8") == "channels: []"
    assert restored.root.stat().st_mode & 0o077 == 0


def test_every_part_is_back_or_left_out_as_the_list_says(home: Home, tmp_path: Path) -> None:
    for part in Home.parts():
        path = home.root / part.path
        if not path.exists() and part.kept is not Kept.SQLITE:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix:
                path.touch()
            else:
                path.mkdir()
                (path / "content").touch()
    restored = Home(tmp_path / "other")
    restore(restored, backup(home, tmp_path / "backup"))
    for part in Home.parts():
        # Settings are code: they come back under another name.
        if part is Home.local_settings or (part.kept is Kept.NO and not part.path.startswith("dbt")):
            assert not (restored.root / part.path).exists(), part.path
        elif (home.root / part.path).exists():
            assert (restored.root / part.path).exists(), part.path
    assert [path.name for path in restored.dbt.rglob("*") if path.is_dir()] == ["target", "compiled"]


def test_backup_with_an_unknown_part_is_not_restored(home: Home, tmp_path: Path) -> None:
    folder = backup(home, tmp_path / "backup")
    (folder / "home" / "superset" / "unheard_of").touch()
    empty_home = Home(tmp_path / "other")
    with pytest.raises(KodomoError, match="superset/unheard_of"):
        restore(empty_home, folder)
    assert not empty_home.root.exists()


def test_a_home_that_holds_something_is_not_touched(home: Home, tmp_path: Path) -> None:
    folder = backup(home, tmp_path / "backup")
    before = sorted(path.name for path in home.root.iterdir())
    with pytest.raises(UsageError):
        restore(home, folder)
    assert sorted(path.name for path in home.root.iterdir()) == before


def test_a_damaged_backup_restores_nothing(home: Home, tmp_path: Path) -> None:
    folder = backup(home, tmp_path / "backup")
    victim = folder / "home" / "warehouse.duckdb"
    victim.chmod(0o600)
    victim.write_bytes(victim.read_bytes()[:-10])
    empty_home = Home(tmp_path / "other")
    with pytest.raises(KodomoError, match="damaged"):
        restore(empty_home, folder)
    assert not empty_home.root.exists()


def test_no_backup_of_a_warehouse_that_is_being_written(home: Home, tmp_path: Path) -> None:
    import subprocess
    import sys

    program = (
        f"import duckdb, time; c = duckdb.connect({str(home.warehouse)!r}); print('open', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "open"
        with pytest.raises(KodomoError, match="being written"):
            backup(home, tmp_path / "backup")
    finally:
        process.kill()
        process.wait()
    assert not (tmp_path / "backup").exists()
    assert not list(tmp_path.glob(".backup-*"))


def test_a_folder_with_something_in_it_takes_no_backup(home: Home, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(UsageError):
        backup(home, tmp_path / "full")
