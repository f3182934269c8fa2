"""A home of an earlier release is upgraded, and put back."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.pool import NullPool

from kodomo.entries import store
from kodomo.entries.store import EntryStore, newest_revision
from kodomo.errors import KodomoError, UsageError
from kodomo.faults import FaultError
from kodomo.home import Home
from kodomo.publication.publication import EVERYTHING
from kodomo.versions import BEFORE_RECORDS, VERSION, written_by
from kodomo.warehouse import migration_files
from orchestration.operations import upgrade as operations
from orchestration.operations.backup import restore
from orchestration.operations.upgrade import as_json, differences, put_back, upgrade
from superset_config.asset_files import read_assets
from tests.unit.foundation.test_warehouse import BEFORE_VERSIONS
from tests.unit.watching.homes import put_in_service


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home of the release before: its tables, a delivery, an entry, no record of its version."""
    home = Home(tmp_path / "var").ensure()
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(BEFORE_VERSIONS.read_text(encoding="utf-8"))
    engine = sa.create_engine(f"sqlite:///{home.entries}", poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(store.MIGRATIONS))
    config.attributes["engine"] = engine
    command.upgrade(config, "0001")
    with engine.begin() as connection:
        connection.execute(
            store.versions.insert().values(
                record_id="r", version=1, form="decision", department="child", content="{}", is_deleted=False,
                entered_by="aoi", entered_at=dt.datetime(2026, 4, 1),
            )
        )  # fmt: skip
    (home.landing / "newborn_visits").mkdir(parents=True)
    return home


def deliveries(home: Home) -> list[tuple[str]]:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        return connection.execute("select delivery_id from raw.deliveries").fetchall()


def revision(home: Home) -> str:
    with contextlib.closing(sqlite3.connect(home.entries)) as connection:
        return connection.execute("select version_num from entry_alembic_version").fetchone()[0]


def test_a_home_of_the_last_release_is_brought_to_this_version_and_keeps_its_rows(home: Home) -> None:
    before = deliveries(home)
    steps: list[str] = []
    done = upgrade(home, progress=steps.append)
    assert steps == ["backup", "warehouse", "entries", "metadata", "checks"]
    assert (done.from_version, done.to_version) == (BEFORE_RECORDS, VERSION)
    assert set(done.migrated) == {"warehouse", "entries"}
    assert written_by(home) == VERSION
    assert (revision(home), deliveries(home)) == (newest_revision(), before)
    assert EntryStore(home).newest("r").entered_by == "aoi"
    assert done.is_sound
    assert done.shape == ("publication_missing",)
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        applied = connection.execute("select version from raw.schema_versions order by 1").fetchall()
    assert [version for (version,) in applied] == list(migration_files())
    manifest = json.loads((Path(done.backup) / "backup.json").read_text(encoding="utf-8"))
    assert manifest["version"] == BEFORE_RECORDS


def test_the_way_back_puts_the_home_back_and_keeps_what_came_since(home: Home) -> None:
    done = upgrade(home)
    EntryStore(home).create("decision", {}, by="sora", department="child", record_id="later")
    back = put_back(home)
    assert (back.version, back.backup) == (BEFORE_RECORDS, done.backup)
    assert (written_by(home), revision(home)) == (BEFORE_RECORDS, "0001")
    assert (home.landing / "newborn_visits").is_dir()
    assert home.backups.exists()
    assert EntryStore(Home(Path(back.aside))).newest("later").entered_by == "sora"
    with pytest.raises(UsageError, match="records no upgrade"):
        put_back(home)


def test_an_upgrade_that_broke_off_is_begun_again_and_the_way_back_stays(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_home: Home) -> str:
        raise duckdb.Error("the value '山田' does not fit")

    with monkeypatch.context() as broken:
        broken.setattr(operations, "_entries", fail)
        with pytest.raises(KodomoError, match="--back") as raised:
            upgrade(home)
    assert "山田" not in str(raised.value)
    assert written_by(home) == BEFORE_RECORDS
    first = json.loads(home.last_upgrade.read_text(encoding="utf-8"))
    again = upgrade(home)
    assert (again.from_version, again.backup) == (BEFORE_RECORDS, first["backup"])
    once_more = upgrade(home)
    assert (once_more.from_version, once_more.migrated) == (BEFORE_RECORDS, {})
    assert put_back(home).version == BEFORE_RECORDS
    assert revision(home) == "0001"


def test_a_damaged_backup_leaves_the_home_as_it_is(home: Home) -> None:
    done = upgrade(home)
    (Path(done.backup) / "home" / "entries.db").write_bytes(b"")
    with pytest.raises(KodomoError, match="damaged"):
        put_back(home)
    assert written_by(home) == VERSION
    assert EntryStore(home).newest("r").entered_by == "aoi"


def test_a_backup_of_a_newer_version_is_not_restored(home: Home) -> None:
    folder = Path(upgrade(home).backup)
    manifest = json.loads((folder / "backup.json").read_text(encoding="utf-8"))
    (folder / "backup.json").write_text(json.dumps({**manifest, "version": "99.0.0"}), encoding="utf-8")
    target = Home(home.root.with_name("other"))
    with pytest.raises(FaultError, match=r"99\.0\.0"):
        restore(target, folder)
    assert not target.root.exists()


def test_nothing_is_done_while_servers_run_or_to_a_home_that_does_not_fit(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as serving:
        serving.setattr(operations, "running", lambda _home: {"Superset": 1})
        with pytest.raises(UsageError, match="serve --stop"):
            upgrade(home)
    home.version.write_text('{"version": "99.0.0"}', encoding="utf-8")
    with pytest.raises(FaultError, match=r"99\.0\.0"):
        upgrade(home)
    with pytest.raises(UsageError, match="nothing"):
        upgrade(Home(home.root.with_name("empty")))
    assert [path.name for path in home.root.parent.iterdir()] == ["var"]


def test_without_room_for_the_backup_nothing_is_changed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "GIB", 2**60)
    with pytest.raises(KodomoError, match="--backup"):
        upgrade(home)
    assert (written_by(home), revision(home)) == (BEFORE_RECORDS, "0001")


def test_what_the_dashboards_lack_in_the_publication_is_named(home: Home) -> None:
    folder = put_in_service(home, dt.datetime.now(dt.UTC))
    assert differences(home) == [EVERYTHING]
    tables = {name: list(dataset.columns) for name, dataset in read_assets().datasets.items()}
    lacking = tables["bi_child"].pop()
    del tables["bi_chain"]
    with duckdb.connect(str(folder / EVERYTHING)) as connection:
        connection.execute("create schema marts")
        for name, columns in tables.items():
            declared = ", ".join(f"{column} varchar" for column in columns)
            connection.execute(f"create table marts.{name} ({declared})")
    assert differences(home) == ["bi_chain", f"bi_child.{lacking}"]
    manifest = folder / "publication.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**content, "access": "other"}), encoding="utf-8")
    assert differences(home) == ["access.yml", "bi_chain", f"bi_child.{lacking}"]


def test_machines_read_the_faults_by_code_and_what_comes_first(home: Home) -> None:
    content = as_json(upgrade(home))
    assert (content["faults"], content["is_sound"], content["run_first"]) == ([], True, ["publication_missing"])
    assert set(as_json(put_back(home))) == {"version", "backup", "aside"}
