"""Backup and restore of what the list of the home's parts says is kept, and of Superset's metadata, in one folder."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import duckdb

from kodomo.audit_chain import Anchor, Head
from kodomo.backups import MANIFEST, RESTORED, note_backup
from kodomo.errors import KodomoError, UsageError
from kodomo.files import sha256_of
from kodomo.home import Home, Kept, unknown_paths
from kodomo.programs import require_program
from kodomo.versions import require_version, written_by
from orchestration.operations.audit import anchor

HOME_FOLDER = "home"
DUMP = "metadata.dump"


def backup(home: Home, target: Path) -> Path:
    """Write a backup into a folder that is not there or empty; returns it.

    It is whole or not there at all. Entries and metadata are copied while in use; the warehouse only
    between two runs. Raises KodomoError when the warehouse is being written.
    """
    if target.exists() and any(target.iterdir()):
        raise UsageError("The folder {target} is not empty: choose another one for the backup.", target=target)
    if not home.root.exists():
        raise KodomoError("There is nothing at {root} to back up.", root=home.root)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        # Before the logs are copied: the copies hold what is anchored.
        ends = anchor(home, f"backup {target.name}")
        inside = draft / HOME_FOLDER
        inside.mkdir(mode=0o700)
        if uri := _postgresql():
            _run("pg_dump", "--format=custom", f"--file={draft / DUMP}", f"--dbname={uri}")
        # Databases first: what they name in a folder is there before they name it. Before them the anchors, which a
        # publication may add to meanwhile.
        for part in sorted(
            Home.parts(), key=lambda part: (part is not Home.audit_anchors, part.kept is not Kept.SQLITE)
        ):
            if (home.root / part.path).exists() and part.kept in _COPIES:
                (inside / part.path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                _COPIES[part.kept](home.root / part.path, inside / part.path)
        _write_manifest(draft, _version_of(home), ends)
        if target.exists():
            target.rmdir()
        draft.rename(target)
    except BaseException:
        _remove(draft)
        raise
    note_backup(home, target, _now())
    return target


def anchors_of(folder: Path) -> list[Anchor]:
    """The ends of the audit log when a backup was made; none in one from before there were any."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(
            "{source} holds no backup: {manifest} is missing.", source=folder, manifest=MANIFEST
        ) from error
    return [Anchor(**end, occasion=f"backup {folder.name}") for end in manifest.get("audit", [])]


def restore(home: Home, source: Path) -> int:
    """Put a backup into an empty home; returns how many files.

    Raises KodomoError when a file is not as backed up, and FaultError for a backup of a version that does not fit.
    """
    manifest_path = source / MANIFEST
    if not manifest_path.exists():
        raise UsageError("{source} holds no backup: {manifest} is missing.", source=source, manifest=MANIFEST)
    if home.root.exists() and set(home.root.iterdir()) - {home.entries_lock, home.run_lock, home.version}:
        raise UsageError("The home {root} is not empty: restore into an empty one (KODOMO_HOME).", root=home.root)
    manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    require_version(manifest.get("version"))
    broken = [name for name, digest in manifest["files"].items() if _digest(source / name) != digest]
    if broken:
        raise KodomoError("The backup is damaged: {names}. Nothing was restored.", names=", ".join(sorted(broken)[:5]))
    if unknown := unknown_paths(source / HOME_FOLDER):
        raise KodomoError(
            "The backup holds what this kodomo does not know: {names}. Use a later one.", names=", ".join(unknown[:5])
        )
    if manifest["has_dump"] and not _postgresql():
        raise UsageError("The backup holds a PostgreSQL database: set KODOMO_METADATA_URI to where it is to go.")
    home.root.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{home.root.name}-", dir=home.root.parent))
    try:
        for name in manifest["files"]:
            _put_back(source, Path(name), draft)
        for name, target in manifest.get("links", {}).items():
            if any(Path(one).is_absolute() or ".." in Path(one).parts for one in (name, target)):
                raise KodomoError(
                    "The backup names a file outside of itself: it was tampered with. Nothing was restored."
                )
            (draft / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            (draft / name).symlink_to(target)
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
    with contextlib.suppress(OSError):
        # A backup on a medium that is only read is restored all the same.
        (source / RESTORED).write_text(_now(), encoding="utf-8")
    return len(manifest["files"])


def broken_files(folder: Path, most_bytes: int) -> list[str]:
    """What is missing in a backup, or not as it was taken; files of more than ``most_bytes`` are not read."""
    try:
        files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return [MANIFEST]
    return [
        name
        for name, digest in files.items()
        if not (folder / name).is_file()
        or ((folder / name).stat().st_size <= most_bytes and sha256_of(folder / name) != digest)
    ]


def _put_back(source: Path, name: Path, home: Path) -> None:
    """Copy one file that the manifest names into a home. Settings are code: they come back under another name.

    Raises KodomoError for a name that leads out of the backup.
    """
    if name.is_absolute() or ".." in name.parts:
        raise KodomoError("The backup names a file outside of itself: it was tampered with. Nothing was restored.")
    if name.parts[0] != HOME_FOLDER:
        return
    inside = Path(*name.parts[1:])
    if inside.as_posix() == Home.local_settings.path:
        inside = inside.with_name(f"{inside.name}.restored")
    target = home / inside
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copy2(source / name, target)


def _version_of(home: Home) -> str | None:
    """The version that has written a home; a record that cannot be read does not prevent a backup."""
    try:
        return written_by(home)
    except KodomoError:
        return None


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _ignored(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name.startswith((".unfinished-", ".lock")) or name.endswith(".part")}


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


def _copy(source: Path, target: Path) -> None:
    """A file or a folder as it lies there."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=_ignored)
    else:
        shutil.copy2(source, target)


def _copy_warehouse(source: Path, target: Path) -> None:
    with _only_reader(source):
        shutil.copy2(source, target)
        log = source.with_name(source.name + ".wal")
        if log.exists():
            shutil.copy2(log, target.with_name(log.name))


def _copy_sqlite(source: Path, target: Path) -> None:
    """A copy as of one moment, whatever is being written meanwhile."""
    with (
        contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as reader,
        contextlib.closing(sqlite3.connect(target)) as writer,
    ):
        reader.backup(writer)
    target.chmod(0o600)


_COPIES: dict[Kept, Callable[[Path, Path], None]] = {
    Kept.COPY: _copy,
    Kept.WAREHOUSE: _copy_warehouse,
    Kept.SQLITE: _copy_sqlite,
}


def _postgresql() -> str | None:
    uri = os.environ.get("KODOMO_METADATA_URI", "")
    return uri.replace("+psycopg2", "", 1) if uri.startswith("postgresql") else None


def _run(*command: str) -> None:
    program = require_program(command[0])
    result = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise KodomoError("{value} failed: is the database of KODOMO_METADATA_URI reachable?", value=command[0])


def _write_manifest(folder: Path, version: str | None, ends: list[Head]) -> None:
    files = {
        str(path.relative_to(folder)): _digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
    content = {
        "made_at": _now(),
        "version": version,
        "links": {
            path.relative_to(folder / HOME_FOLDER).as_posix(): os.readlink(path)
            for path in sorted((folder / HOME_FOLDER).rglob("*"))
            if path.is_symlink()
        },
        "audit": [asdict(end) for end in ends],
        "has_dump": (folder / DUMP).exists(),
        "files": files,
    }
    (folder / MANIFEST).write_text(json.dumps(content, indent=1), encoding="utf-8")


def _digest(path: Path) -> str | None:
    return sha256_of(path) if path.is_file() else None
