"""Marts as files, for auditors and checks."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from orchestration.errors import KodomoError, UsageError
from orchestration.home import Home
from orchestration.warehouse import connect

FORMATS = {"csv": "format csv, header", "parquet": "format parquet", "json": "format json, array true"}


def export_table(home: Home, table: str, file_format: str, out: Path, *, published: bool = False) -> int:
    """Write a mart to ``out`` in a stable order of rows, whole or not at all; returns the number of rows.

    ``published``: from what is in service (the scope that sees everything), else from the last build.
    Raises UsageError naming the tables that there are.
    """
    if file_format not in FORMATS:
        raise UsageError(f"--format takes {', '.join(FORMATS)}, not {file_format}.")
    if published:
        return _export_published(home, table, file_format, out)
    with connect(home, read_only=True) as connection:
        return _copy(connection, "marts", table, file_format, out)


def _export_published(home: Home, table: str, file_format: str, out: Path) -> int:
    current = home.published / "current"
    if not current.exists():
        raise KodomoError("Nothing is in service yet: `kodomo run` publishes.")
    files = sorted(
        (path for path in current.resolve().glob("*.duckdb")), key=lambda path: (-path.stat().st_size, path.name)
    )
    # The scope that sees most comes first; a table that only another audience has is looked for in the others.
    for file in files:
        with duckdb.connect(str(file), read_only=True) as connection:
            schemas = connection.execute(
                "select table_schema from information_schema.tables where table_name = ?", [table]
            ).fetchall()
            if schemas:
                return _copy(connection, schemas[0][0], table, file_format, out)
    raise UsageError(f"No published file holds a table {table}.")


def _copy(connection: duckdb.DuckDBPyConnection, schema: str, table: str, file_format: str, out: Path) -> int:
    tables = [
        row[0]
        for row in connection.execute(
            "select table_name from information_schema.tables where table_schema = ? order by table_name", [schema]
        ).fetchall()
    ]
    if table not in tables:
        raise UsageError(f"There is no table {table}: it must be one of {', '.join(tables)}.")
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.part")
    connection.execute(f"copy (select * from {schema}.{table} order by all) to '{draft}' ({FORMATS[file_format]})")
    os.replace(draft, out)
    return connection.execute(f"select count(*) from {schema}.{table}").fetchall()[0][0]
