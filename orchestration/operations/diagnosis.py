"""The checks of `kodomo doctor`: every part of a home is opened as in normal use. Nothing is changed, and no
value of a person is read."""

from __future__ import annotations

import ast
import contextlib
import datetime as dt
import json
import os
import pwd
import re
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
from cryptography import x509
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from kodomo.access.access import export_scope, read_access
from kodomo.access.accounts import read_accounts
from kodomo.access.scope import NO_SCOPE
from kodomo.access.staff import StaffMember, read_staff, scopes_in_use
from kodomo.backups import last_backup
from kodomo.clock import day_in_japan, today
from kodomo.contract import load_contracts
from kodomo.disk import GIB
from kodomo.entries.store import EntryStore, current_revision, known_revisions, looking, newest_revision
from kodomo.errors import KodomoError, WarehouseBusyError
from kodomo.faults import Fault, FaultError, fault
from kodomo.home import PROJECT, Home, unknown_paths
from kodomo.ingest.landing import landing_of
from kodomo.limits import Limits
from kodomo.messages import JAPANESE, in_language
from kodomo.programs import NO_PROGRAM, locate, programs
from kodomo.publication import list_publications
from kodomo.publication.identity import require_agreement
from kodomo.publication.inputs import STATEMENTS
from kodomo.publication.publication import EVERYTHING, access_hash
from kodomo.scoring.definition import check, read_definition
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.seeds import SEEDS
from kodomo.versions import VERSION, is_older, require_compatible, written_by
from kodomo.warehouse import connect, missing_migrations
from kodomo.watching.vitals import Figures, in_words, manifest_in_service, read_vitals
from kodomo.workshop.in_force import DefinitionStore
from orchestration.operations.backup import broken_files
from orchestration.operations.notification import Mail, read_settings
from orchestration.operations.serving import ended, port_is_free, running
from superset_config.security.applied import applied_version
from superset_config.security.grants import ending
from superset_config.security.metadata import is_up_to_date

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
CHECKED_BYTES = 64 * 2**20
"""Of the files of a backup: smaller ones are read and compared, larger ones must be there."""
CERTIFICATE = Path("/etc/kodomo/tls/kodomo.crt")
"""Where nginx has its certificate, unless KODOMO_CERTIFICATE says another place."""
VITAL_LABELS = {"batch": "バッチ", "disk": "ディスクの空き", "queue": "待っているもの", "run": "バッチの錠"}


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
    findings = [*_environment(), *_links(), *_programs(), *_certificate()]
    if not home.root.exists():
        return [*findings, *_definition(home), note("home_missing"), *_ports(home)]
    if obstacles := [finding for finding in _version(home) if finding.status == "wrong"]:
        # Another version's databases are not for this one to judge.
        return [*findings, *obstacles]
    return [
        *findings,
        *_version(home),
        *_definition(home),
        *_permissions(home),
        *_clock(home),
        *_keys(home),
        *_settings(home),
        *_vitals(home),
        *_warehouse(home),
        *_entries(home),
        *_metadata(home),
        *_applied(home),
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
    folder = SEEDS
    try:
        with looking(home) as connection:
            revision = None if connection is None else current_revision(connection)
        # A home without entries has approved nothing; opened as a store, older ones would be brought up to date.
        if revision == newest_revision():
            folder = DefinitionStore(EntryStore(home)).folder()
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
    yield from _owners(home)
    if unknown := unknown_paths(home.root):
        yield note("unknown_files", names="、".join(unknown[:5]))


def _owners(home: Home) -> Iterator[Finding]:
    owner = home.root.stat().st_uid
    paths = [home.root / part.path for part in Home.parts()]
    others = [path.relative_to(home.root) for path in paths if path.exists() and path.stat().st_uid != owner]
    if os.getuid() != owner:
        yield note("home_owner", names="この命令を動かしている利用者", owner=_name_of(owner))
    elif others:
        yield wrong("home_owner", names="、".join(map(str, others[:5])), owner=_name_of(owner))


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _version(home: Home) -> Iterator[Finding]:
    try:
        require_compatible(home)
    except FaultError as error:
        yield _stops(error)
        return
    except KodomoError as error:
        yield wrong("vital_unreadable", name=home.version.name, kind=type(error).__name__)
        return
    if is_older(home):
        yield note("home_older", written=written_by(home), version=VERSION)
    else:
        yield ok("ホームの版", f"kodomo {VERSION}")


def _certificate() -> Iterator[Finding]:
    path = Path(os.environ.get("KODOMO_CERTIFICATE") or CERTIFICATE)
    if not path.exists():
        return
    try:
        ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        yield wrong("certificate_wrong", path=path)
        return
    left = ends - dt.datetime.now(dt.UTC)
    day = day_in_japan(ends.timestamp()).isoformat()
    if left <= dt.timedelta():
        yield wrong("certificate_ended", path=path, ended=day)
    elif left < dt.timedelta(days=Limits.from_environment().certificate_days):
        yield note("certificate_ending", path=path, ended=day, days=left.days)
    else:
        yield ok("TLS の証明書", f"{day} まで")


def _vitals(home: Home) -> Iterator[Finding]:
    """What is watched all the time, but for what is looked at more closely here."""
    for vital in read_vitals(home, landing_of(home), Limits.from_environment()):
        is_elsewhere = vital.fault is not None and vital.fault.code.startswith(
            ("publication_", "entries_", "database_")
        )
        if vital.name not in VITAL_LABELS or is_elsewhere:
            continue
        if vital.fault is not None:
            yield Finding(vital.fault.label, vital.status, vital.fault.cause, vital.fault)
        else:
            yield ok(VITAL_LABELS[vital.name], _seen(vital.name, vital.figures))


def _seen(name: str, figures: Figures) -> str:
    match name:
        case "batch":
            return f"最後の公開から {in_words(dt.timedelta(seconds=float(figures['age_seconds'] or 0)))}"
        case "disk":
            free, needed = (float(figures[size] or 0) / GIB for size in ("free_bytes", "needed_bytes"))
            return f"{free:.0f} GiB（次のバッチに {needed:.1f} GiB）"
        case "queue":
            return f"メール {figures['mails_waiting']} 通、送られたファイル {figures['uploads_waiting']} 個"
    return "動いている" if figures["is_running"] else "空いている"


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
        yield from _notifications(home)
    if home.local_settings.exists():
        try:
            ast.parse(home.local_settings.read_text(encoding="utf-8"))
            yield ok("ログインの設定", "読める")
        except SyntaxError as error:
            yield wrong("settings_wrong", line=error.lineno)


def _notifications(home: Home) -> Iterator[Finding]:
    try:
        settings = read_settings(home)
        usernames = {member.username for member in read_staff(home.staff, read_access())}
    except (KodomoError, OSError, UnicodeDecodeError) as error:
        reason = in_language(error, JAPANESE) if isinstance(error, KodomoError) else "notifications.yml が読めない。"
        yield wrong("notifications_wrong", reason=reason)
        return
    named = {username for username, _ in settings.staff_channels}
    channels = [*settings.channels, *(channel for _, channel in settings.staff_channels)]
    silent = [
        str(number)
        for number, channel in enumerate(channels, 1)
        if isinstance(channel, Mail)
        and not (channel.recipients and all(map(_is_address, (channel.sender, *channel.recipients))))
    ]
    if not channels:
        yield note("notifications_empty")
    if silent:
        yield wrong("notifications_address", numbers="、".join(silent))
    if unknown := sorted(named - usernames):
        yield wrong("notifications_staff", names="、".join(unknown[:5]))
    if channels and not silent and not unknown:
        yield ok("通知の設定", f"送り先 {len(channels)} 件")


def _is_address(text: object) -> bool:
    return isinstance(text, str) and re.fullmatch(r"[^@\s]+@[^@\s]+", text) is not None


def _stops(error: FaultError) -> Finding:
    """A fault that what was called has raised."""
    return Finding(error.fault.label, "wrong", error.fault.cause, error.fault)


def _warehouse(home: Home) -> Iterator[Finding]:
    if not home.warehouse.exists():
        yield note("warehouse_missing")
        return
    try:
        with connect(home, read_only=True) as connection:
            tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
            for schema, table in tables:
                connection.execute(f'select count(*) from "{schema}"."{table}"').fetchall()
            missing = missing_migrations(connection)
            rows = _raw_state(connection, set(tables))
    except WarehouseBusyError:
        yield ok("倉庫（warehouse.duckdb）", "バッチが使っている。終わってから、もう一度確かめてください")
    except FaultError as error:
        yield _stops(error)
    except duckdb.Error:
        yield wrong("warehouse_damaged")
    else:
        size = home.warehouse.stat().st_size / 2**20
        yield ok("倉庫（warehouse.duckdb）", f"{len(tables)} 表、{size:.0f} MiB")
        if missing:
            yield note("migrations_missing", names=f"倉庫の {len(missing)} 個")
        yield from _against_publication(home, *rows)


def _raw_state(
    connection: duckdb.DuckDBPyConnection, tables: set[tuple[str, str]]
) -> tuple[str | None, list[tuple[str, int]]]:
    """The run that wrote the warehouse last, None before the first, and the sources with held deliveries, counted."""
    run_id, held = None, []
    if ("raw", "run_parameters") in tables:
        row = connection.execute("select run_id from raw.run_parameters").fetchone()
        run_id = row[0] if row else None
    if ("raw", "deliveries") in tables:
        held = connection.execute(
            "select source_id, count(*) from raw.deliveries where status = 'held' group by all order by all"
        ).fetchall()
    return run_id, held


def _against_publication(home: Home, run_id: str | None, held: list[tuple[str, int]]) -> Iterator[Finding]:
    try:
        published = manifest_in_service(home)
    except FaultError:
        # Said with the publication.
        published = {}
    if run_id and published.get("run_id") and published["run_id"] != run_id:
        yield note("publication_behind", run_id=run_id, published=published["name"])
    if held:
        labels = {source_id: contract.label for source_id, contract in load_contracts().items()}
        names = [f"{labels.get(source_id, source_id)} {count}件" for source_id, count in held]
        yield note("delivery_held", count=sum(count for _, count in held), names="、".join(names[:5]))


def _entries(home: Home) -> Iterator[Finding]:
    label = "入力された記録（entries.db）"
    try:
        with looking(home) as connection:
            if connection is None:
                yield ok(label, "まだない")
                return
            if connection.dialect.name == "sqlite" and not _is_sound_sqlite(home.entries):
                raise FaultError("entries_damaged")
            revision = current_revision(connection)
    except FaultError as error:
        yield _stops(error)
        return
    if revision is not None and revision not in known_revisions():
        yield wrong("entries_newer")
        return
    yield ok(label, "開ける")
    if revision != newest_revision():
        yield note("migrations_missing", names=f"入力の記録（{revision or 'なし'} から {newest_revision()} へ）")


def _metadata(home: Home) -> Iterator[Finding]:
    uri = os.environ.get("KODOMO_METADATA_URI")
    if not uri and not home.superset_metadata.exists():
        yield ok("Superset の管理データ", "まだない")
        return
    is_sound = _answers(uri, "ab_user") if uri else _is_sound_sqlite(home.superset_metadata)
    yield ok("Superset の管理データ", "開ける") if is_sound else wrong("metadata_damaged")
    if is_sound and not is_up_to_date(home):
        yield note("migrations_missing", names="Superset の管理データ")


def _applied(home: Home) -> Iterator[Finding]:
    if not os.environ.get("KODOMO_METADATA_URI") and not home.superset_metadata.exists():
        return
    if (applied := applied_version(home)) is None:
        yield ok("Superset の設定", "プログラムと同じ版が反映されている")
    else:
        yield note("superset_other", applied=f"kodomo {applied}" if applied else "版の記録がない")


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
        read_accounts(home)
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
            if soon := ending(home, today()):
                names = "、".join(f"{username}（{day.isoformat()}）" for username, day in soon.items())
                yield note("grants_ending", count=len(soon), names=names)
    yield from _publication(home, staff)


def _publication(home: Home, staff: list[StaffMember]) -> Iterator[Finding]:
    try:
        manifest = manifest_in_service(home)
    except FaultError as error:
        yield note("publication_missing") if error.fault.code == "publication_missing" else _stops(error)
        return
    folder = home.published / manifest["name"]
    yield from _content(folder, manifest)
    yield from _scope_files(folder, staff)
    if manifest.get("access") != access_hash():
        yield wrong("publication_rules")


def _content(folder: Path, manifest: dict[str, Any]) -> Iterator[Finding]:
    try:
        require_agreement(folder, folder / EVERYTHING, manifest)
    except FaultError as error:
        yield _stops(error)
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
    vital = next(one for one in read_vitals(home, None, Limits.from_environment()) if one.name == "backup")
    last = last_backup(home) if vital.fault is None or vital.fault.code != "vital_unreadable" else None
    if last is not None and (broken := broken_files(last.folder, CHECKED_BYTES)):
        yield wrong("backup_damaged", made=last.made_at.date().isoformat(), names="、".join(broken[:5]))
    elif vital.fault is not None:
        yield Finding(vital.fault.label, vital.status, vital.fault.cause, vital.fault)
    elif last is not None:
        yield ok("バックアップ", f"{last.made_at.date().isoformat()}、戻せることを試した")


def _ports(home: Home) -> Iterator[Finding]:
    if names := ended(home):
        yield wrong("server_dead", names="、".join(names))
    if names := running(home):
        yield ok("サーバ", f"動いている: {'、'.join(sorted(names))}")
        return
    for name, port in (("Superset", 8088), ("Dagster", 3000)):
        if port_is_free("127.0.0.1", port):
            yield ok("ポート", f"{name} の {port} は空いている")
        else:
            yield note("port_taken", name=name, port=port)
