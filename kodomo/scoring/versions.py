"""Versions of the model: approved by a person, unchanged from then on, and kept so that any run can be replayed."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from kodomo.csv_files import read_csv
from kodomo.errors import KodomoError, UsageError
from kodomo.files import atomic_path
from kodomo.home import PROJECT, Home
from kodomo.scoring.definition import (
    TABLES,
    Definition,
    check,
    file_of,
    raise_for,
    read_definition,
    version_hash,
)
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.scoring.score import load_tables
from kodomo.seeds import SEEDS
from kodomo.warehouse import connect, migrate

VERSIONS_FILE = "risk_model_versions.csv"
OF_HOME = "definition_"
"""Prefix, in schema raw, of the tables of a definition that the home keeps."""
EVALUATION = PROJECT / "models" / "marts" / "evaluation"
"""The models that a run leaves out unless items and versions are to be judged."""


@dataclass(frozen=True)
class Run:
    """A run that can be replayed."""

    run_id: str
    as_of_on: dt.date
    built_at: dt.datetime
    definition_hash: str


def approve(
    folder: Path, version: str, approved_by: str, reason: str, approved_on: dt.date, *, as_trial: bool = False
) -> str:
    """Record a person's approval in the definition's versions and return the hash that holds the version fast.

    The version becomes active from that date (``as_trial``: a trial version, scored beside the active ones).
    Raises KodomoError when the definition has mistakes, the version was approved before, or another active version
    scores one of its difficulty types: retire that first.
    """
    if not approved_by.strip() or not reason.strip():
        raise UsageError("An approval needs the name of the person and a reason.")
    definition = _checked(folder, approved_on)
    row = version_row(definition, version)
    require_unapproved(row)
    if not as_trial and (rivals := active_rivals(definition, version)):
        listed = ", ".join(f"{other} ({difficulty})" for other, difficulty in sorted(rivals))
        raise KodomoError("{listed} is active: retire it first with `kodomo model retire`.", listed=listed)
    digest = version_hash(definition, version)
    _rewrite(
        folder,
        version,
        {
            "status": "trial" if as_trial else "active",
            "approved_by": approved_by.strip(),
            "approved_on": approved_on.isoformat(),
            "valid_from": approved_on.isoformat() if row["valid_from"] is None else row["valid_from"].isoformat(),
            "approval_reason_ja": reason.strip(),
            "content_hash": digest,
        },
    )
    return digest


def retire(folder: Path, version: str, retired_on: dt.date) -> None:
    """Take a version out of force: it is scored no more, and its past scores stay. Raises KodomoError if it was."""
    definition = read_definition(folder)
    raise_for(definition.mistakes)
    row = version_row(definition, version)
    if row["status"] == "retired":
        raise KodomoError("{version} is retired since {valid_to}.", version=version, valid_to=row["valid_to"])
    _rewrite(folder, version, {"status": "retired", "valid_to": retired_on.isoformat()})


def _checked(folder: Path, on: dt.date) -> Definition:
    """Read a definition that has no mistake at all: what is odd is mended before it is approved."""
    definition = read_definition(folder)
    raise_for([replace(finding, is_fatal=True) for finding in check(definition, observation_obstacles(on))])
    return definition


def version_row(definition: Definition, version: str) -> dict[str, Any]:
    """The row of a version. Raises UsageError naming those that there are."""
    for row in definition["risk_model_versions"]:
        if row["model_version"] == version:
            return row
    names = ", ".join(str(row["model_version"]) for row in definition["risk_model_versions"])
    raise UsageError("There is no version {version}: it must be one of {names}.", version=version, names=names)


def require_unapproved(row: Mapping[str, Any]) -> None:
    """Raise KodomoError for the row of a version that a person has approved."""
    if row["content_hash"]:
        raise KodomoError(
            "{version} was approved by {approved_by} on {approved_on}: it stays as it is.",
            version=row["model_version"],
            approved_by=row["approved_by"],
            approved_on=row["approved_on"],
        )


def active_rivals(definition: Definition, version: str) -> set[tuple[str, str]]:
    """The other active versions that score a difficulty type of a version, each with the type."""
    return {
        (other["model_version"], difficulty)
        for other in definition["risk_model_versions"]
        if other["status"] == "active" and other["model_version"] != version
        for difficulty in difficulties_of(definition, other["model_version"]) & difficulties_of(definition, version)
    }


def difficulties_of(definition: Definition, version: str) -> set[str]:
    """The difficulty types that a version scores."""
    return {
        row["difficulty_type"]
        for table in ("risk_tiers", "risk_coefficients")
        for row in definition[table]
        if row["model_version"] == version
    }


def _rewrite(folder: Path, version: str, changes: dict[str, str]) -> None:
    """Change one row of the versions file, whole or not at all; other columns and rows stay as they were."""
    path = folder / VERSIONS_FILE
    file = read_csv(path)
    header = [*file.header, *(name for name in changes if name not in file.header)]
    with (
        atomic_path(path, mode=path.stat().st_mode & 0o777) as draft,
        draft.open("w", encoding="utf-8", newline="") as target,
    ):
        writer = csv.DictWriter(target, fieldnames=header, restval="", lineterminator="\n")
        writer.writeheader()
        for _, values in file.records:
            row = dict(zip(file.header, values, strict=True))
            writer.writerow({**row, **changes} if row["model_version"] == version else row)


def record_run(home: Home, run_id: str, as_of_on: dt.date, folder: Path = SEEDS) -> str:
    """Check the definition in force, keep a copy of it, and note what this run builds on; the definition's hash.

    One that is not in the seeds is written to schema raw, from where dbt's seeds take it (``definition_of_home``).
    Raises KodomoError naming every mistake, before anything is scored.
    """
    # An item without a legal basis stops no run: its data are not read, and completeness says so.
    known = dict.fromkeys(observation_obstacles(as_of_on))
    definition = read_definition(folder)
    raise_for(check(definition, known))
    digest = keep(home, folder)
    with connect(home) as connection:
        migrate(connection)
        for table in TABLES:
            connection.execute(f"drop table if exists raw.{OF_HOME}{table}")
        if folder != SEEDS:
            load_tables(connection, definition, f"raw.{OF_HOME}")
        connection.execute("insert into raw.risk_runs values (?, ?, now()::timestamp, ?)", [run_id, as_of_on, digest])
        connection.execute(
            "insert into raw.risk_run_deliveries select ?, delivery_id from raw.deliveries where status = 'loaded'",
            [run_id],
        )
    return digest


def is_evaluation_due(home: Home, as_of_on: dt.date, digest: str) -> bool:
    """Whether items and versions are to be judged: once for each month of as-of dates and definition.

    They are too where the warehouse lacks one of the tables, which an upgrade has brought.

    The twelve months looked at hardly move from one day to the next, and freezing a past date is the costliest part
    of a run.
    """
    tables = {path.stem for path in EVALUATION.glob("*.sql")}
    with connect(home) as connection:
        built = connection.execute(
            "select table_name from duckdb_tables() where database_name = current_database() and schema_name = 'marts'"
        ).fetchall()
        if not tables <= {name for (name,) in built}:
            return True
        return not connection.execute(
            "select count(*) from raw.risk_evaluations "
            "where date_trunc('month', as_of_on) = date_trunc('month', ?::date) and definition_hash = ?",
            [as_of_on, digest],
        ).fetchall()[0][0]


def record_evaluation(home: Home, as_of_on: dt.date, digest: str) -> None:
    """Note that items and versions of a definition were judged for an as-of date."""
    with connect(home) as connection:
        connection.execute("insert into raw.risk_evaluations values (?, ?, now()::timestamp)", [as_of_on, digest])


def definition_hash(folder: Path) -> str:
    """A hash over all files of a definition."""
    digest = hashlib.sha256()
    for table in TABLES:
        path = file_of(folder, table)
        digest.update(f"{table}\n".encode())
        if path.exists():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


def kept_definition(home: Home, digest: str) -> Path:
    """The folder in which the definition of a run is kept."""
    return home.definitions / digest


def keep(home: Home, folder: Path) -> str:
    """Keep a copy of a definition in the home, once; its hash."""
    digest = definition_hash(folder)
    target = kept_definition(home, digest)
    if target.exists():
        return digest
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{digest}-", dir=target.parent))
    for table in TABLES:
        path = file_of(folder, table)
        if path.exists():
            (draft / path.name).write_bytes(path.read_bytes())
    try:
        draft.rename(target)
    except OSError:
        # Another process kept the same definition meanwhile.
        shutil.rmtree(draft)
        if not target.exists():
            raise
    return digest


def find_run(connection: duckdb.DuckDBPyConnection, *, run_id: str | None, as_of_on: dt.date | None) -> Run:
    """The run of that id, or the last one for that date. ``connection`` reads the warehouse as ``warehouse``.

    Raises KodomoError listing the dates that there are.
    """
    known = connection.execute(
        "select count(*) from duckdb_tables() "
        "where database_name = 'warehouse' and schema_name = 'raw' and table_name = 'risk_runs'"
    ).fetchall()[0][0]
    rows = (
        connection.execute(
            "select run_id, as_of_on, built_at, definition_hash from warehouse.raw.risk_runs order by built_at desc"
        ).fetchall()
        if known
        else []
    )
    runs = [Run(*row) for row in rows]
    for run in runs:
        if (run_id is None or run.run_id == run_id) and (as_of_on is None or run.as_of_on == as_of_on):
            return run
    dates = ", ".join(sorted({run.as_of_on.isoformat() for run in runs})) or "none"
    raise KodomoError("No such run is on record. As-of dates of the runs that are: {dates}.", dates=dates)
