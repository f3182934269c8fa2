"""What `kodomo doctor` looks at. Nothing is changed, and no value of a person is read."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from kodomo.access.access import export_scope, read_access
from kodomo.access.scope import NO_SCOPE
from kodomo.access.staff import read_staff
from kodomo.errors import KodomoError
from kodomo.home import PROJECT, Home
from kodomo.programs import locate
from kodomo.publication import current, list_publications
from orchestration.operations.serving import port_is_free, running

PINNED = {
    "apache-superset": "6.1.0",
    "dbt-duckdb": "1.11.1",
    "duckdb": "2.0.0",
    "duckdb-engine": "0.17.0",
    "flask-caching": "2.4.1",
    "great-expectations": "1.24.1",
    "sqlalchemy": "1.4.54",
}
DBT_LINKS = {"models": "../models", "seeds": "../seeds", "macros": "../macros", "tests": "../tests/dbt"}


@dataclass(frozen=True)
class Finding:
    """One check. ``status``: ok, note (worth knowing), wrong."""

    check: str
    status: str
    detail: str


def diagnose(home: Home) -> list[Finding]:
    """All checks, in the order in which things are set up."""
    return [
        *_environment(),
        *_links(),
        *_home(home),
        *_publication(home),
        *_ports(home),
    ]


def _environment() -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", "ok" if sys.version_info[:2] == (3, 11) else "wrong", found)
    wrong = []
    for package, wanted in PINNED.items():
        try:
            there = version(package)
        except PackageNotFoundError:
            there = "missing"
        if there != wanted:
            wrong.append(f"{package} is {there}, not {wanted}")
    yield Finding("Packages", "wrong" if wrong else "ok", "; ".join(wrong) or f"{len(PINNED)} versions as locked")
    chromium = locate("chromium")
    yield Finding("Chromium", "ok" if chromium else "note", chromium or "missing: printed pages and pictures need it")


def _links() -> Iterator[Finding]:
    wrong = [
        name
        for name, target in DBT_LINKS.items()
        if not (PROJECT / "dbt_project" / name).is_symlink() or os.readlink(PROJECT / "dbt_project" / name) != target
    ]
    yield Finding("Links of dbt_project", "wrong" if wrong else "ok", ", ".join(wrong) or "as they should be")


def _home(home: Home) -> Iterator[Finding]:
    if not home.root.exists():
        yield Finding("Home", "note", f"{home.root} does not exist yet: `kodomo run` makes it")
        return
    yield _closed("Home", home.root)
    for label, path in (
        ("Initial passwords", home.demo_accounts),
        ("Key of the sessions", home.secret_key),
        ("Key of the pseudonyms", home.pseudonym_key),
    ):
        if path.exists():
            yield _closed(label, path)
    free = shutil.disk_usage(home.root).free / 2**30
    yield Finding("Disk", "ok" if free > 5 else "wrong", f"{free:.0f} GiB free")
    warehouse = home.warehouse
    detail = f"{warehouse.stat().st_size / 2**20:.0f} MiB" if warehouse.exists() else "none yet"
    yield Finding("Warehouse", "ok" if warehouse.exists() else "note", detail)


def _closed(label: str, path: Path) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Finding(label, "wrong", f"others may read {path} (mode {mode:o}): chmod go-rwx")
    return Finding(label, "ok", f"{path} (mode {mode:o})")


def _publication(home: Home) -> Iterator[Finding]:
    try:
        access = read_access()
        staff = read_staff(home.staff, access)
    except KodomoError as error:
        yield Finding("Staff list", "wrong", str(error))
        return
    yield Finding("Staff list", "ok" if staff else "note", f"{len(staff)} people" if staff else "none yet")
    folder = current(home)
    if folder is None:
        yield Finding("Publication", "note", "none yet")
        return
    yield Finding("Publication", "ok", f"{folder.name}; {len(list_publications(home))} kept")
    wanted = {member.scope.key for member in staff} | {export_scope(access).key, NO_SCOPE}
    missing = sorted(key for key in wanted if not (folder / f"{key}.duckdb").exists())
    detail = (
        f"files are missing for {', '.join(missing)}: `kodomo superset apply`" if missing else f"{len(wanted)} files"
    )
    yield Finding("Scopes", "wrong" if missing else "ok", detail)
    writable = sorted(file.name for file in folder.glob("*.duckdb") if file.stat().st_mode & 0o222)
    yield Finding("Published files", "wrong" if writable else "ok", ", ".join(writable) or "read-only")


def _ports(home: Home) -> Iterator[Finding]:
    if names := running(home):
        yield Finding("Servers", "ok", f"up: {', '.join(sorted(names))}")
        return
    for name, port in (("Superset", 8088), ("Dagster", 3000)):
        free = port_is_free("127.0.0.1", port)
        detail = f"{port} is free" if free else f"{port} is taken: `kodomo serve --help` for another"
        yield Finding(f"Port of {name}", "ok" if free else "note", detail)
