"""Pooled connections to the publication in service, so that a determination need not open and parse it again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from kodomo.errors import KodomoError
from kodomo.faults import FaultError
from kodomo.home import Home
from kodomo.publication import current
from kodomo.publication.inputs import read_judging_statements, read_statements
from kodomo.publication.publication import EVERYTHING
from kodomo.publication.tables import literal
from kodomo.scoring.replay import WAREHOUSE, CompiledModels, close_scratch
from kodomo.warehouse import records

MOST_IDLE = 2
"""How many idle readers a process keeps open."""
MOST_PARSED = 1000
MEMORY = "2GB"
FREEZING_MEMORY = "8GB"
"""Of the engine while a past date is frozen: observations and families of everybody are computed again, in 100 MB for
4,400 residents."""
_SETTINGS = (
    # Few rows: a second thread costs more than it saves, and is better left to other requests.
    "set threads = 1",
    f"set memory_limit = '{MEMORY}'",
    # Nothing about people is written beside the home.
    "set temp_directory = ''",
)


def _state(folder: Path) -> tuple[Path, int, int]:
    status = (folder / EVERYTHING).stat()
    return folder, status.st_ino, status.st_mtime_ns


class Connection:
    """A connection that keeps what it has parsed: the statements of a determination are the same every time."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, parsed: dict[str, duckdb.Statement]) -> None:
        self._cursor, self._parsed = cursor, parsed

    def execute(self, query: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        """As DuckDB's own."""
        statement = self._parsed.get(query)
        if statement is None:
            statements = self._cursor.extract_statements(query)
            if len(statements) != 1:
                return self._cursor.execute(query, parameters)
            if len(self._parsed) >= MOST_PARSED:
                self._parsed.clear()
            statement = self._parsed[query] = statements[0]
        return self._cursor.execute(statement, parameters)

    def register(self, name: str, table: Any) -> None:
        """As DuckDB's own."""
        self._cursor.register(name, table)

    def unregister(self, name: str) -> None:
        """As DuckDB's own."""
        self._cursor.unregister(name)


class Reader:
    """One publication, open for reading. One use at a time: ``scratch`` is there once."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder, _state(folder)
        self._parsed: dict[str, duckdb.Statement] = {}
        self._connection = duckdb.connect()
        try:
            for setting in _SETTINGS:
                self._connection.execute(setting)
            self._connection.execute(f"attach {literal(str(folder / EVERYTHING))} as {WAREHOUSE} (read_only)")
        except duckdb.Error:
            self.close()
            raise

    @cached_property
    def models(self) -> CompiledModels:
        """The compiled SQL of the publication. Raises KodomoError when it was published without."""
        return read_statements(self.folder)

    @cached_property
    def judging_models(self) -> CompiledModels:
        """The compiled SQL that judges a definition on a past date. Raises KodomoError when published without."""
        return read_judging_statements(self.folder)

    @cached_property
    def columns(self) -> dict[str, list[str]]:
        """Columns of each relation (``schema.name``) of the publication."""
        columns_by_relation: dict[str, list[str]] = {}
        for schema, table, column in self._connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() where database_name = ?", [WAREHOUSE]
        ).fetchall():
            columns_by_relation.setdefault(f"{schema}.{table}", []).append(column)
        return columns_by_relation

    @contextmanager
    def use(self, threads: int = 1, memory: str = MEMORY) -> Iterator[Connection]:
        """A connection whose temporary tables and ``scratch`` are gone afterwards."""
        cursor = self._connection.cursor()
        try:
            if threads != 1:
                self._connection.execute(f"set threads = {threads}")
            if memory != MEMORY:
                self._connection.execute(f"set memory_limit = '{memory}'")
            yield Connection(cursor, self._parsed)
        finally:
            cursor.close()
            if threads != 1:
                self._connection.execute("set threads = 1")
            close_scratch(self._connection)
            if memory != MEMORY:
                self._connection.execute(f"set memory_limit = '{MEMORY}'")

    def close(self) -> None:
        """Close the connection to the publication."""
        self._connection.close()


_idle: list[Reader] = []
_lock = threading.Lock()


def _take(folder: Path) -> Reader:
    state = _state(folder)
    with _lock:
        for reader in reversed(_idle):
            if reader.state == state:
                _idle.remove(reader)
                return reader
    return Reader(folder)


def _put(reader: Reader) -> None:
    """Keep a reader for the next use; those of another publication make room first."""
    with _lock:
        _idle.append(reader)
        by_age = sorted(_idle, key=lambda other: other.state == reader.state)
        surplus = by_age[: max(0, len(_idle) - MOST_IDLE)]
        for other in surplus:
            _idle.remove(other)
    for other in surplus:
        other.close()


@contextmanager
def reading(home: Home, threads: int = 1, memory: str = MEMORY) -> Iterator[tuple[Connection, Reader]]:
    """A connection in memory that reads the publication in service as ``warehouse``, and its reader.

    ``threads``: of the engine; more than one pays where all children are read. ``memory``: its limit.

    A batch may run and publish meanwhile: the connection keeps what it opened. Raises KodomoError where nothing has
    been published, or where it cannot be read.
    """
    folder = current(home)
    if folder is None:
        raise KodomoError("Nothing has been published yet: run `kodomo run --landing DIR --as-of DATE` first.")
    try:
        reader = _take(folder)
    except (duckdb.Error, OSError) as error:
        raise FaultError("publication_everything", name=folder.name) from error
    try:
        with reader.use(threads, memory) as connection:
            yield connection, reader
    except duckdb.IOException as error:
        with suppress(duckdb.Error):
            reader.close()
        raise FaultError("publication_everything", name=folder.name) from error
    except duckdb.FatalException:
        reader.close()
        raise
    except BaseException:
        _put(reader)
        raise
    _put(reader)


@contextmanager
def in_service(home: Home) -> Iterator[tuple[Connection, Path]]:
    """As ``reading``, with the publication's folder."""
    with reading(home) as (connection, reader):
        yield connection, reader.folder


def published_changes(home: Home) -> list[dict[str, Any]]:
    """Every row of bi_change in service. Raises KodomoError before the first run."""
    with in_service(home) as (connection, _):
        return records(connection, "select * from warehouse.marts.bi_change")


def published_children(home: Home) -> list[dict[str, Any]]:
    """Every child in service, with the columns of bi_child. Raises KodomoError before the first run."""
    with in_service(home) as (connection, _):
        return records(connection, "select * from warehouse.marts.bi_child")
