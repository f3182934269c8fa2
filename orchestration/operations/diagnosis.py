"""The checks of `kodomo doctor`: every part of a home is opened as in normal use. Nothing is changed, and no
value of a person is read."""

from __future__ import annotations

import ast
import contextlib
import datetime as dt
import json
import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa
from ruamel.yaml import YAML, YAMLError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from kodomo.access.access import export_scope, read_access
from kodomo.access.accounts import read_accounts
from kodomo.access.scope import NO_SCOPE
from kodomo.access.staff import StaffMember, read_staff, scopes_in_use
from kodomo.clock import today
from kodomo.entries.store import EntryStore, entries_uri
from kodomo.errors import KodomoError, WarehouseBusyError
from kodomo.faults import Fault, FaultError, fault
from kodomo.home import PROJECT, Home, unknown_paths
from kodomo.programs import NO_PROGRAM, locate, programs
from kodomo.publication import list_publications
from kodomo.publication.identity import require_agreement
from kodomo.publication.inputs import STATEMENTS
from kodomo.publication.publication import CURRENT, EVERYTHING, MANIFEST, access_hash
from kodomo.scoring.definition import check, read_definition
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.seeds import SEEDS
from kodomo.warehouse import connect
from kodomo.workshop.in_force import DefinitionStore
from orchestration.operations.backup import last_backup
from orchestration.operations.serving import port_is_free, running
from superset_config.security.grants import ending

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
SHORTEST_KEY = 32
FREE_GIB = 5
BACKUP_DAYS = 8
"""A weekly backup that was missed by a day."""


@dataclass(frozen=True)
class Finding:
    """One check. ``status``: ok, note (worth knowing), wrong. ``detail``: what was seen, or the fault in words."""

    check: str
    status: str
    detail: str
    fault: Fault | None = None


def ok(check: str, detail: str) -> Finding:
    """A check that passed."""
    return Finding(check, "ok", detail)


def wrong(code: str, **details: object) -> Finding:
    """A fault of the catalogue that stops something."""
    entry = fault(code, **details)
    return Finding(entry.label, "wrong", entry.cause, entry)


def note(code: str, **details: object) -> Finding:
    """A fault of the catalogue that stops nothing yet."""
    entry = fault(code, **details)
    return Finding(entry.label, "note", entry.cause, entry)


def diagnose(home: Home) -> list[Finding]:
    """All checks, in the order in which things are set up."""
    findings = [*_environment(), *_links(), *_programs(), *_definition(home)]
    if not home.root.exists():
        return [*findings, note("home_missing"), *_ports(home)]
    return [
        *findings,
        *_permissions(home),
        *_disk(home),
        *_clock(home),
        *_keys(home),
        *_settings(home),
        *_warehouse(home),
        *_entries(home),
        *_metadata(home),
        *_staff_and_publication(home),
        *_backup(home),
        *_ports(home),
    ]


def _environment() -> Iterator[Finding]:
    python_version = ".".join(map(str, sys.version_info[:3]))
    yield (
        ok("Python の版", python_version)
        if sys.version_info[:2] == (3, 11)
        else wrong("python_version", version=python_version)
    )
    differing = []
    for package, wanted in PINNED.items():
        try:
            installed = version(package)
        except PackageNotFoundError:
            installed = "なし"
        if installed != wanted:
            differing.append(f"{package} は {installed}（{wanted} のはず）")
    if differing:
        yield wrong("packages", packages="、".join(differing) + "。")
    else:
        yield ok("パッケージの版", f"{len(PINNED)} 個が requirements.lock のとおり")


def _links() -> Iterator[Finding]:
    broken = [
        name
        for name, target in DBT_LINKS.items()
        if not (PROJECT / "dbt_project" / name).is_symlink() or os.readlink(PROJECT / "dbt_project" / name) != target
    ]
    yield wrong("dbt_links", names="、".join(broken)) if broken else ok("dbt_project の中のリンク", "そろっている")


def _programs() -> Iterator[Finding]:
    names = [program.name for program in programs() if program.name != NO_PROGRAM]
    missing = [name for name in names if locate(name) is None]
    yield (
        note("program_missing", names="、".join(missing)) if missing else ok("外部プログラム", f"{len(names)} 個がある")
    )


def _definition(home: Home) -> Iterator[Finding]:
    # A home without entries has approved nothing: looking makes no file in it.
    has_entries = home.entries.exists() or not entries_uri(home).startswith("sqlite")
    try:
        folder = DefinitionStore(EntryStore(home)).folder() if has_entries else SEEDS
    except (KodomoError, SQLAlchemyError):
        # Said with the entries.
        return
    definition = read_definition(folder)
    known = dict.fromkeys(observation_obstacles(today()))
    mistakes = [mistake for mistake in [*definition.mistakes, *check(definition, known)] if mistake.is_fatal]
    if mistakes:
        yield wrong("definition_wrong", count=len(mistakes), reason=str(mistakes[0]))
    else:
        yield ok("リスクの定義", "誤りはない")


def _permissions(home: Home) -> Iterator[Finding]:
    closed = [home.root, home.demo_accounts, home.secret_key, home.guest_key, home.async_key, home.pseudonym_key]
    open_to_others = [path for path in closed if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    for path in open_to_others:
        yield wrong("home_open", path=path, mode=f"{stat.S_IMODE(path.stat().st_mode):o}")
    if not open_to_others:
        yield ok("フォルダとファイルの権限", "持ち主だけが読める")
    if unknown := unknown_paths(home.root):
        yield note("unknown_files", names="、".join(unknown[:5]))


def _disk(home: Home) -> Iterator[Finding]:
    free = shutil.disk_usage(home.root).free / 2**30
    yield ok("ディスクの空き", f"{free:.0f} GiB") if free > FREE_GIB else wrong("disk_full", free=f"{free:.1f}")


def _clock(home: Home) -> Iterator[Finding]:
    now = dt.datetime.now(dt.UTC)
    with contextlib.suppress(KodomoError, ValueError, OSError):
        newest = max((dt.datetime.fromisoformat(one.published_at) for one in list_publications(home)), default=None)
        if newest is not None and newest > now + dt.timedelta(minutes=5):
            yield wrong("clock_behind", published=newest.isoformat(timespec="minutes"))
            return
    yield ok("時計", now.isoformat(timespec="seconds"))


def _keys(home: Home) -> Iterator[Finding]:
    paths = [home.secret_key, home.guest_key, home.async_key, home.pseudonym_key, home.audit_key, home.factor_key]
    broken = [path for path in paths if path.exists() and not _is_key(path)]
    for path in broken:
        yield wrong("key_broken", path=path.relative_to(home.root))
    if not broken:
        yield ok("鍵", f"{sum(path.exists() for path in paths)} 個が読める")


def _is_key(path: Path) -> bool:
    try:
        return len(path.read_text(encoding="ascii").strip()) >= SHORTEST_KEY
    except (OSError, UnicodeDecodeError):
        return False


def _settings(home: Home) -> Iterator[Finding]:
    if home.notifications.exists():
        try:
            YAML(typ="safe").load(home.notifications.read_text(encoding="utf-8"))
            yield ok("通知の設定", "読める")
        except (YAMLError, UnicodeDecodeError):
            yield wrong("notifications_wrong")
    if home.local_settings.exists():
        try:
            ast.parse(home.local_settings.read_text(encoding="utf-8"))
            yield ok("ログインの設定", "読める")
        except SyntaxError as error:
            yield wrong("settings_wrong", line=error.lineno)


def _warehouse(home: Home) -> Iterator[Finding]:
    if not home.warehouse.exists():
        yield note("warehouse_missing")
        return
    try:
        with connect(home, read_only=True) as connection:
            tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
            for schema, table in tables:
                connection.execute(f'select count(*) from "{schema}"."{table}"').fetchall()
    except WarehouseBusyError:
        yield ok("倉庫（warehouse.duckdb）", "バッチが使っている。終わってから、もう一度確かめてください")
    except FaultError as error:
        yield Finding(error.fault.label, "wrong", error.fault.cause, error.fault)
    except duckdb.Error:
        yield wrong("warehouse_damaged")
    else:
        size = home.warehouse.stat().st_size / 2**20
        yield ok("倉庫（warehouse.duckdb）", f"{len(tables)} 表、{size:.0f} MiB")


def _entries(home: Home) -> Iterator[Finding]:
    uri = entries_uri(home)
    if uri.startswith("sqlite") and not home.entries.exists():
        yield ok("入力された記録（entries.db）", "まだない")
        return
    is_sound = _is_sound_sqlite(home.entries) if uri.startswith("sqlite") else _answers(uri, "entry_version")
    yield ok("入力された記録（entries.db）", "開ける") if is_sound else wrong("entries_damaged")


def _metadata(home: Home) -> Iterator[Finding]:
    uri = os.environ.get("KODOMO_METADATA_URI")
    if not uri and not home.superset_metadata.exists():
        yield ok("Superset の管理データ", "まだない")
        return
    is_sound = _answers(uri, "ab_user") if uri else _is_sound_sqlite(home.superset_metadata)
    yield ok("Superset の管理データ", "開ける") if is_sound else wrong("metadata_damaged")


def _is_sound_sqlite(path: Path) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute("pragma quick_check").fetchall() == [("ok",)]
    except sqlite3.Error:
        return False


def _answers(uri: str, table: str) -> bool:
    engine = sa.create_engine(uri, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.execute(sa.select(sa.func.count()).select_from(sa.table(table)))
        return True
    except sa.exc.SQLAlchemyError:
        return False


def _staff_and_publication(home: Home) -> Iterator[Finding]:
    try:
        staff = read_staff(home.staff, read_access())
        warning_days = read_accounts(home).renewal.warning_days
    except KodomoError as error:
        yield wrong("staff_wrong", reason=str(error))
        staff = []
    else:
        if not staff:
            yield note("staff_missing")
        elif not any(member.is_admin for member in staff):
            yield wrong("staff_without_admin")
        else:
            yield ok("職員名簿", f"{len(staff)} 人")
            if soon := ending(home, warning_days, today()):
                names = "、".join(f"{username}（{day.isoformat()}）" for username, day in soon.items())
                yield note("grants_ending", count=len(soon), names=names)
    yield from _publication(home, staff)


def _publication(home: Home, staff: list[StaffMember]) -> Iterator[Finding]:
    link = home.published / CURRENT
    if not link.is_symlink():
        yield note("publication_missing")
        return
    folder = home.published / link.readlink()
    if not folder.is_dir():
        yield wrong("publication_link")
        return
    manifest = _manifest(folder)
    if manifest is None:
        yield wrong("publication_manifest", name=folder.name)
        return
    yield from _content(folder, manifest)
    yield from _scope_files(folder, staff)
    if manifest.get("access") != access_hash():
        yield wrong("publication_rules")


def _manifest(folder: Path) -> dict[str, Any] | None:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and isinstance(manifest.get("scopes"), list) else None


def _content(folder: Path, manifest: dict[str, Any]) -> Iterator[Finding]:
    try:
        require_agreement(folder, folder / EVERYTHING, manifest)
    except FaultError as error:
        yield Finding(error.fault.label, "wrong", error.fault.cause, error.fault)
    except KodomoError:
        yield wrong("publication_label", name=folder.name, names="as_of_on")
    else:
        yield ok("公開", f"{folder.name}（基準日 {manifest.get('as_of_on') or '不明'}）")
    try:
        json.loads((folder / STATEMENTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        yield wrong("publication_statements", name=folder.name)


def _scope_files(folder: Path, staff: list[StaffMember]) -> Iterator[Finding]:
    wanted = {scope.key for scope in scopes_in_use(staff, today()) if not scope.is_empty}
    wanted |= {export_scope(read_access()).key, NO_SCOPE}
    files = {file.stem: file for file in folder.glob("*.duckdb") if file.name != EVERYTHING}
    faults = {
        "scope_missing": sorted(wanted - set(files)),
        "scope_surplus": sorted(set(files) - wanted) if staff else [],
        "scope_damaged": sorted(key for key, file in files.items() if not _opens(file)),
        "scope_writable": sorted(file.name for file in folder.glob("*.duckdb") if file.stat().st_mode & 0o222),
    }
    for code, names in faults.items():
        if names:
            yield wrong(code, names="、".join(names[:5]))
    if not any(faults.values()):
        yield ok("閲覧範囲のファイル", f"{len(files)} 個が開け、書き込めない")


def _opens(file: Path) -> bool:
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
                connection.execute(f'select count(*) from "{table}"').fetchall()
    except duckdb.Error:
        return False
    return True


def _backup(home: Home) -> Iterator[Finding]:
    last = last_backup(home)
    if last is None:
        yield note("backup_missing")
        return
    days = (dt.datetime.now(dt.UTC) - last.made_at).days
    made = last.made_at.date().isoformat()
    if days > BACKUP_DAYS:
        yield wrong("backup_old", made=made, days=days)
    elif not last.is_restored:
        yield note("backup_untried", made=made)
    else:
        yield ok("バックアップ", f"{made}、戻せることを試した")


def _ports(home: Home) -> Iterator[Finding]:
    if names := running(home):
        yield ok("サーバ", f"動いている: {'、'.join(sorted(names))}")
        return
    for name, port in (("Superset", 8088), ("Dagster", 3000)):
        if port_is_free("127.0.0.1", port):
            yield ok("ポート", f"{name} の {port} は空いている")
        else:
            yield note("port_taken", name=name, port=port)
