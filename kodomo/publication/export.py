"""Marts as files, for auditors and checks."""

from __future__ import annotations

import codecs
import shutil
from pathlib import Path

import duckdb

from kodomo.errors import KodomoError, UsageError
from kodomo.files import atomic_path
from kodomo.home import Home
from kodomo.publication import exported_file
from kodomo.warehouse import connect

FORMATS = {"csv": "format csv, header", "parquet": "format parquet", "json": "format json, array true"}


def export_table(home: Home, table: str, file_format: str, out: Path, *, published: bool = False) -> int:
    """Write a mart to ``out`` in a stable order of rows, whole or not at all; returns the number of rows.

    Only its owner reads the file. A CSV begins with a byte order mark: spreadsheets in Japan take it
    for CP932 otherwise.

    ``published``: the marts as they were published, else from the last build.
    Raises UsageError naming the tables that there are.
    """
    if file_format not in FORMATS:
        raise UsageError(
            "--format takes {names}, not {file_format}.", names=", ".join(FORMATS), file_format=file_format
        )
    if published:
        return _export_published(home, table, file_format, out)
    with connect(home, read_only=True) as connection:
        return _copy(connection, "marts", table, file_format, out)


def _export_published(home: Home, table: str, file_format: str, out: Path) -> int:
    file = exported_file(home)
    if file is None:
        raise KodomoError("Nothing is in service yet: `kodomo run` publishes.")
    with duckdb.connect(str(file), read_only=True) as connection:
        return _copy(connection, "marts", table, file_format, out)


def _copy(connection: duckdb.DuckDBPyConnection, schema: str, table: str, file_format: str, out: Path) -> int:
    tables = [
        row[0]
        for row in connection.execute(
            "select table_name from information_schema.tables where table_schema = ? order by table_name", [schema]
        ).fetchall()
    ]
    if table not in tables:
        raise UsageError("There is no table {table}: it must be one of {names}.", table=table, names=", ".join(tables))
    with atomic_path(out) as draft:
        connection.execute(f"copy (select * from {schema}.{table} order by all) to '{draft}' ({FORMATS[file_format]})")
        if file_format == "csv":
            with atomic_path(draft) as marked:
                _copy_with_mark(draft, marked)
    return connection.execute(f"select count(*) from {schema}.{table}").fetchall()[0][0]


def _copy_with_mark(source: Path, target: Path) -> None:
    target.touch(mode=0o600)
    with source.open("rb") as reader, target.open("wb") as writer:
        writer.write(codecs.BOM_UTF8)
        shutil.copyfileobj(reader, writer, 2**20)
