"""Backup and restore: entries, Superset's metadata, warehouse, publications and originals, in one folder."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

from kodomo.errors import KodomoError, UsageError
from kodomo.home import Home
from kodomo.programs import require_program

MANIFEST = "backup.json"
HOME_FOLDER = "home"
DUMP = "metadata.dump"
# Single files of the home that are state, besides the databases.
FILES = (
    "staff.csv",
    "demo-accounts.csv",
    "link_decisions.csv",
    "pseudonym.key",
    "superset/secret.key",
    "superset/guest.key",
    "superset/async.key",
    "superset/local_settings.py",
)
# The compiled SQL is what a score is computed again with, before the next run.
FOLDERS = ("store", "published", "definitions", "data_docs", "dbt/target/compiled")
SQLITE = ("entries.db", "superset/superset.db")


def backup(home: Home, target: Path) -> Path:
    """Write a backup into a folder that is not there or empty; returns it.

    It is whole or not there at all. Entries and metadata are copied while people go on typing; the warehouse only
    between two runs. Raises KodomoError when the warehouse is being written.
    """
    if target.exists() and any(target.iterdir()):
        raise UsageError(f"The folder {target} is not empty: choose another one for the backup.")
    if not home.root.exists():
        raise KodomoError(f"There is nothing at {home.root} to back up.")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        inside = draft / HOME_FOLDER
        inside.mkdir(mode=0o700)
        _copy_warehouse(home, inside)
        for name in SQLITE:
            _copy_sqlite(home.root / name, inside / name)
        for name in FILES:
            if (home.root / name).exists():
                (inside / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                shutil.copy2(home.root / name, inside / name)
        for name in FOLDERS:
            if (home.root / name).exists():
                shutil.copytree(home.root / name, inside / name, symlinks=True, ignore=_ignored)
        if uri := _postgresql():
            _run("pg_dump", "--format=custom", f"--file={draft / DUMP}", f"--dbname={uri}")
        _write_manifest(draft)
        if target.exists():
            target.rmdir()
        draft.rename(target)
    except BaseException:
        _remove(draft)
        raise
    return target


def restore(home: Home, source: Path) -> int:
    """Put a backup into an empty home; returns how many files. Raises KodomoError when a file is not as backed up."""
    manifest_path = source / MANIFEST
    if not manifest_path.exists():
        raise UsageError(f"{source} holds no backup: {MANIFEST} is missing.")
    if home.root.exists() and any(path.name != ".entries.lock" for path in home.root.iterdir()):
        raise UsageError(f"The home {home.root} is not empty: restore into an empty one (KODOMO_HOME).")
    manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    broken = [name for name, digest in manifest["files"].items() if _digest(source / name) != digest]
    if broken:
        raise KodomoError(f"The backup is damaged: {', '.join(sorted(broken)[:5])}. Nothing was restored.")
    if manifest["has_dump"] and not _postgresql():
        raise UsageError("The backup holds a PostgreSQL database: set KODOMO_METADATA_URI to where it is to go.")
    home.root.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{home.root.name}-", dir=home.root.parent))
    try:
        shutil.copytree(source / HOME_FOLDER, draft, symlinks=True, dirs_exist_ok=True)
        draft.chmod(0o700)
        if manifest["has_dump"]:
            # One transaction: the database is as it was or as backed up.
            _run("pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction",
                 f"--dbname={_postgresql()}", str(source / DUMP))  # fmt: skip
        if home.root.exists():
            shutil.rmtree(home.root)
        draft.rename(home.root)
    except BaseException:
        _remove(draft)
        raise
    return len(manifest["files"])


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _ignored(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name.startswith((".unfinished-", ".lock", "tmp"))}


@contextlib.contextmanager
def _only_reader(path: Path) -> Iterator[None]:
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.IOException as error:
        raise KodomoError("The warehouse is being written: back up when the run has ended.") from error
    try:
        # While a reader is there, no writer opens the file: what is copied stands still.
        yield
    finally:
        connection.close()


def _copy_warehouse(home: Home, inside: Path) -> None:
    if home.warehouse.exists():
        with _only_reader(home.warehouse):
            shutil.copy2(home.warehouse, inside / home.warehouse.name)
            log = home.warehouse.with_name(home.warehouse.name + ".wal")
            if log.exists():
                shutil.copy2(log, inside / log.name)


def _copy_sqlite(source: Path, target: Path) -> None:
    """A copy as of one moment, whatever is being written meanwhile."""
    if not source.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (
        contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as reader,
        contextlib.closing(sqlite3.connect(target)) as writer,
    ):
        reader.backup(writer)
    target.chmod(0o600)


def _postgresql() -> str | None:
    uri = os.environ.get("KODOMO_METADATA_URI", "")
    return uri.replace("+psycopg2", "", 1) if uri.startswith("postgresql") else None


def _run(*command: str) -> None:
    program = require_program(command[0])
    result = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise KodomoError(f"{command[0]} failed: is the database of KODOMO_METADATA_URI reachable?")


def _write_manifest(folder: Path) -> None:
    files = {
        str(path.relative_to(folder)): _digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
    content = {
        "made_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "has_dump": (folder / DUMP).exists(),
        "files": files,
    }
    (folder / MANIFEST).write_text(json.dumps(content, indent=1), encoding="utf-8")


def _digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
