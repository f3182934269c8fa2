"""A home of an earlier version is brought to this one, and back: a backup, the migrations, the checks, Superset.

Before the backup is whole nothing is changed. Each step may be done again: a run that was broken off is started anew.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy.exc import SQLAlchemyError

from kodomo.access.access import read_access
from kodomo.disk import GIB
from kodomo.entries.store import EntryStore, current_revision, looking, newest_revision
from kodomo.errors import KodomoError, UsageError, without_values
from kodomo.faults import Fault, FaultError
from kodomo.files import write_atomically
from kodomo.home import Home
from kodomo.publication.identity import FORMAT
from kodomo.publication.publication import EVERYTHING, access_hash
from kodomo.publication.tables import MARTS, columns_of
from kodomo.run_lock import writing
from kodomo.versions import VERSION, record_version, require_compatible, written_by
from kodomo.warehouse import connect, migrate
from kodomo.watching.vitals import manifest_in_service
from orchestration.operations.backup import backup, restore
from orchestration.operations.diagnosis import Finding, diagnose
from orchestration.operations.serving import running
from superset_config.asset_files import read_assets
from superset_config.security.metadata import is_up_to_date
from superset_config.security.metadata import upgrade as upgrade_metadata

Progress = Callable[[str], None]
"""Called with the name of a step when it begins: backup, warehouse, entries, metadata, checks."""
EXPECTED = {"home_older", "migrations_missing", "superset_other", "publication_rules", "server_dead"}
"""Faults that an upgrade mends itself, or that its next step does."""


@dataclass(frozen=True)
class Upgraded:
    """What came of an upgrade. ``backup``: where the way back leads; ``findings``: what the doctor says afterwards."""

    from_version: str
    to_version: str
    backup: str
    at: str
    migrated: dict[str, str] = field(default_factory=dict)
    """What was brought up to date: warehouse, entries, metadata, each from where to where."""
    findings: tuple[Finding, ...] = ()
    shape: tuple[str, ...] = ()
    """How the publication in service differs from what this version's dashboards read: a run comes first."""

    @property
    def faults(self) -> list[Fault]:
        """What is wrong, but for what the next steps mend."""
        wrong = [one.fault for one in self.findings if one.status == "wrong" and one.fault is not None]
        return [fault for fault in wrong if fault.code not in EXPECTED]

    @property
    def is_sound(self) -> bool:
        """Whether Superset may be applied."""
        return not self.faults


def upgrade(home: Home, target: Path | None = None, progress: Progress = lambda _step: None) -> Upgraded:
    """Back a home up into ``target`` (beside the home by default) and bring its databases to this version.

    Raises UsageError where there is no home or its servers run, FaultError for a home of a version that does not fit,
    and KodomoError where a step fails: the home is then to be put back, or the upgrade started again.
    """
    before = written_by(home)
    if before is None:
        raise UsageError("There is nothing at {root} to upgrade.", root=home.root)
    require_compatible(home)
    _require_stopped(home)
    at = dt.datetime.now(dt.UTC)
    with writing(home, "an upgrade"):
        progress("backup")
        folder = _back_up(home, target or _beside(home, f"before-{VERSION}", at))
        way_back = _keep(home, {"from_version": before, "to_version": VERSION, "backup": str(folder),
                                "at": at.isoformat(timespec="seconds")})  # fmt: skip
        migrated = {}
        for name, step in (("warehouse", _warehouse), ("entries", _entries), ("metadata", _metadata)):
            progress(name)
            try:
                done = step(home)
            except (KodomoError, duckdb.Error, SQLAlchemyError, OSError) as error:
                raise KodomoError(
                    "The upgrade stopped at {step}: {reason} Mend this and upgrade again, or go back: `kodomo upgrade "
                    "--back` puts {folder} in the place of the home.",
                    step=name,
                    reason=without_values(str(error)),
                    folder=way_back["backup"],
                ) from error
            if done:
                migrated[name] = done
        record_version(home)
    progress("checks")
    return Upgraded(**way_back, migrated=migrated, findings=tuple(diagnose(home)), shape=tuple(differences(home)))


def _keep(home: Home, record: dict[str, str]) -> dict[str, str]:
    """Record an upgrade, unless it is the same one begun again: the way back leads to the version before it."""
    try:
        kept = last_upgrade(home)
    except UsageError:
        kept = {}
    if kept.get("to_version") == record["to_version"] and kept["from_version"] != record["to_version"]:
        return kept
    write_atomically(home.last_upgrade, json.dumps(record))
    return record


def _require_stopped(home: Home) -> None:
    if names := running(home):
        raise UsageError("{names} run on this home: `kodomo serve --stop` first.", names=", ".join(sorted(names)))


def _beside(home: Home, name: str, at: dt.datetime) -> Path:
    """A folder beside the home. Raises UsageError where this user may make none."""
    if not os.access(home.root.parent, os.W_OK):
        raise UsageError(
            "This user may make no folder in {folder}: name one with --backup, or let the user write there.",
            folder=home.root.parent,
        )
    return home.root.with_name(f"{home.root.name}.{name}-{at:%Y%m%dT%H%M%S%f}")


def _back_up(home: Home, folder: Path) -> Path:
    """The backup of a home, if there is room for it."""
    size = sum(path.stat().st_size for path in home.root.rglob("*") if path.is_file() and not path.is_symlink())
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if free < size + GIB:
        raise KodomoError(
            "The backup needs {needed:.1f} GiB and {folder} has {free:.1f}: name another folder with --backup.",
            needed=(size + GIB) / GIB,
            folder=place,
            free=free / GIB,
        )
    return backup(home, folder)


def _warehouse(home: Home) -> str:
    if not home.warehouse.exists():
        return ""
    with connect(home) as connection:
        missing = migrate(connection)
    return ", ".join(f"{number:04}" for number in missing)


def _entries(home: Home) -> str:
    with looking(home) as connection:
        revision = None if connection is None else current_revision(connection)
    EntryStore(home)
    return "" if revision == newest_revision() else f"{revision or '-'} > {newest_revision()}"


def _metadata(home: Home) -> str:
    """Superset's own migrations, where Superset was ever used on this home."""
    if not os.environ.get("KODOMO_METADATA_URI") and not home.superset_metadata.exists():
        return ""
    if is_up_to_date(home):
        return ""
    upgrade_metadata(home)
    return "superset"


def differences(home: Home) -> list[str]:
    """Where the publication in service is not what the dashboards of this version read: names of what differs.

    Names of files of rules, or of tables and their columns; empty where `kodomo superset apply` may follow at once.
    """
    try:
        manifest = manifest_in_service(home)
    except FaultError as error:
        return [error.fault.code]
    if manifest.get("format") != FORMAT:
        return ["format"]
    different = [] if manifest.get("access") == access_hash() else ["access.yml"]
    try:
        with duckdb.connect(str(home.published / manifest["name"] / EVERYTHING), read_only=True) as connection:
            database = connection.execute("select current_database()").fetchall()[0][0]
            published = columns_of(connection, database, MARTS)
    except duckdb.Error:
        return [*different, EVERYTHING]
    rules = read_access().tables
    for name, dataset in sorted(read_assets().datasets.items()):
        if rules.get(name, {}).get("live"):
            # Read when it is asked for, and in no publication.
            continue
        if name not in published:
            different.append(name)
        else:
            different += [f"{name}.{column}" for column in sorted(set(dataset.columns) - set(published[name]))]
    return different


@dataclass(frozen=True)
class PutBack:
    """A home that is as it was before an upgrade. ``aside``: the folder of what it was until now."""

    version: str
    backup: str
    aside: str


def last_upgrade(home: Home) -> dict[str, str]:
    """The record of the last upgrade. Raises UsageError where there is none, or its backup is gone."""
    try:
        record = json.loads(home.last_upgrade.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError("This home records no upgrade: `kodomo restore` puts a backup back.") from error
    if not Path(record["backup"]).is_dir():
        raise UsageError(
            "The backup {folder} is gone: `kodomo restore` puts another one back.", folder=record["backup"]
        )
    return record


def put_back(home: Home) -> PutBack:
    """Put the backup taken before the last upgrade in the place of the home, which is kept aside.

    A database of PostgreSQL is backed up aside before it is replaced. Raises UsageError as ``last_upgrade`` and while
    the servers run, KodomoError where the backup is damaged: the home is then as it was.
    """
    record = last_upgrade(home)
    _require_stopped(home)
    at = dt.datetime.now(dt.UTC)
    aside = _beside(home, f"of-{record['to_version']}", at)
    restored = Home(_beside(home, "restored", at))
    with writing(home, "the way back"):
        if os.environ.get("KODOMO_METADATA_URI"):
            _back_up(home, _beside(home, "database", at))
        restore(restored, Path(record["backup"]))
        home.root.rename(aside)
        restored.root.rename(home.root)
    before = Home(aside)
    if before.landing.exists():
        # What holders have put there is of no version, and in no backup.
        before.landing.rename(home.landing)
    if before.backups.exists():
        shutil.copy2(before.backups, home.backups)
    return PutBack(record["from_version"], record["backup"], str(aside))


def as_json(result: Upgraded | PutBack) -> dict[str, Any]:
    """For machines: the findings by their codes."""
    if isinstance(result, PutBack):
        return asdict(result)
    return {
        "from_version": result.from_version,
        "to_version": result.to_version,
        "backup": result.backup,
        "at": result.at,
        "migrated": result.migrated,
        "faults": [fault.code for fault in result.faults],
        "is_sound": result.is_sound,
        "run_first": list(result.shape),
    }
