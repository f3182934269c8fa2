"""What a publication says it is, read from its content: run, as-of date, definition, format."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from kodomo.errors import KodomoError
from kodomo.faults import FaultError
from kodomo.publication.tables import literal

FORMAT = 1
"""Version of the layout of a publication's folder; one of another format is not put in service."""


@dataclass(frozen=True)
class Identity:
    """Run, as-of date and definition of a build; None where the build does not record it (no run made it)."""

    run_id: str | None
    as_of_on: dt.date | None
    definition: str | None
    format: int = FORMAT

    def to_manifest(self) -> dict[str, Any]:
        """As the manifest has it."""
        return {
            "run_id": self.run_id,
            "as_of_on": self.as_of_on.isoformat() if self.as_of_on else None,
            "definition": self.definition,
            "format": self.format,
        }


def copy_run(connection: duckdb.DuckDBPyConnection, source: str, target: str) -> None:
    """Copy what a build says of its run between attached databases, where it says anything."""
    connection.execute(f"create schema if not exists {target}.raw")
    tables = {
        row[0]
        for row in connection.execute(
            "select table_name from duckdb_tables() where database_name = ? and schema_name = 'raw'", [source]
        ).fetchall()
    }
    if {"run_parameters", "risk_runs"} <= tables:
        # Earlier runs too: a recall asks which definition each as-of date had.
        connection.execute(f"create table {target}.raw.risk_runs as from {source}.raw.risk_runs")
    if "run_parameters" in tables:
        connection.execute(
            f"create table if not exists {target}.raw.run_parameters as from {source}.raw.run_parameters"
        )


def identity_of(connection: duckdb.DuckDBPyConnection, database: str) -> Identity:
    """Of the build in an attached database: the warehouse, or everything.duckdb of a publication.

    Raises KodomoError where the children in it are of another date than the run.
    """
    relations = {
        row[0]
        for row in connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where database_name = ?", [database]
        ).fetchall()
    }
    run_id, as_of_on, definition = None, None, None
    if "raw.run_parameters" in relations:
        run_id, as_of_on = connection.execute(f"select run_id, as_of_on from {database}.raw.run_parameters").fetchall()[
            0
        ]
    if "raw.risk_runs" in relations:
        rows = connection.execute(
            f"select definition_hash from {database}.raw.risk_runs where run_id = ?", [run_id]
        ).fetchall()
        definition = rows[0][0] if rows else None
    if as_of_on is not None and "marts.bi_child" in relations:
        dates = {
            row[0] for row in connection.execute(f"select distinct as_of_on from {database}.marts.bi_child").fetchall()
        }
        if dates - {as_of_on}:
            shown = ", ".join(sorted(str(date) for date in dates))
            raise KodomoError(
                "The children are as of {shown}, the run as of {as_of_on}: run `kodomo run` again, alone.",
                shown=shown,
                as_of_on=as_of_on,
            )
    return Identity(run_id, as_of_on, definition)


def require_agreement(folder: Path, everything: Path, manifest: dict[str, Any]) -> None:
    """Raise KodomoError where the manifest of a publication says another run, date, definition or format than its rows.

    One that was published before manifests named a format is held to its rows alone.
    """
    try:
        with duckdb.connect() as connection:
            connection.execute(f"attach {literal(str(everything))} as publication (read_only)")
            content = identity_of(connection, "publication").to_manifest()
    except duckdb.Error as error:
        raise FaultError("publication_everything", name=folder.name) from error
    if "format" not in manifest:
        return
    differing = [name for name, value in content.items() if manifest.get(name, "missing") != value]
    if differing:
        raise FaultError("publication_label", name=folder.name, names=", ".join(differing))
