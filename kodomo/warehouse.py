"""The warehouse file: who opens it, and what a run writes into it before dbt starts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import duckdb

from kodomo.errors import KodomoError, WarehouseBusyError
from kodomo.faults import FaultError
from kodomo.home import Home
from kodomo.run_lock import writing

MIGRATIONS = Path(__file__).with_name("warehouse_migrations")


@contextmanager
def connect(home: Home, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the warehouse, closed at the end; a writer locks every reader out, so keep it short.

    Raises KodomoError when there is no warehouse to read, WarehouseBusyError when another run is writing it or holds
    the lock of the home, and FaultError when the file is damaged.
    """
    if read_only and not home.warehouse.exists():
        raise KodomoError("There is no warehouse yet: run `kodomo run --landing DIR --as-of DATE` first.")
    with nullcontext() if read_only else writing(home, "a change of the warehouse"):
        try:
            connection = duckdb.connect(str(home.warehouse), read_only=read_only)
        except duckdb.Error as error:
            raise explain_open_error(error) from error
        try:
            yield connection
        finally:
            connection.close()


def explain_open_error(error: duckdb.Error) -> KodomoError:
    """Why a database file could not be opened: in use, written by a later engine, or damaged.

    The engine's own message names a path and a process: neither is for the reader.
    """
    message = str(error).lower()
    if "lock" in message or "different configuration" in message:
        return WarehouseBusyError("The warehouse is in use by another run: wait until it has ended.")
    return FaultError("warehouse_newer" if "version number" in message else "warehouse_damaged")


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """All that is executed inside, or nothing of it: an exception of any kind rolls back and goes on."""
    connection.begin()
    try:
        yield connection
        connection.commit()
    except BaseException:
        # After a commit that failed, or with a broken connection, nothing is left to roll back.
        with suppress(duckdb.Error):
            connection.rollback()
        raise


def records(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None
) -> list[dict[str, Any]]:
    """The rows of a query as dictionaries, column by column; ``parameters`` are bound by name or in order."""
    result = connection.execute(query, parameters)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def migrate(connection: duckdb.DuckDBPyConnection) -> list[int]:
    """Bring schema raw to the version of this code and return the numbers of the migrations that were missing.

    The migrations are ``warehouse_migrations/NNNN_name.sql``, each applied once, in order, in a transaction of its
    own with its record in raw.schema_versions. The views beside them hold nothing and are made anew each time.
    Raises KodomoError where a later kodomo has written the warehouse.
    """
    connection.execute("create schema if not exists raw")
    connection.execute(
        "create table if not exists raw.schema_versions "
        "(version integer primary key, name varchar not null, applied_at timestamp not null)"
    )
    missing = missing_migrations(connection)
    files = migration_files()
    for version in missing:
        with transaction(connection):
            connection.execute(files[version].read_text(encoding="utf-8"))
            connection.execute(
                "insert into raw.schema_versions values (?, ?, now()::timestamp)", [version, files[version].stem]
            )
    for view in sorted((MIGRATIONS / "views").glob("*.sql")):
        connection.execute(view.read_text(encoding="utf-8"))
    return missing


def migration_files() -> dict[int, Path]:
    """The migrations of this code by number, in their order."""
    return {int(path.name[:4]): path for path in sorted(MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))}


def missing_migrations(connection: duckdb.DuckDBPyConnection) -> list[int]:
    """The migrations that a warehouse has not had yet. Raises FaultError where a later kodomo has written it."""
    is_versioned = connection.execute(
        "select count(*) from duckdb_tables() where database_name = current_database() and schema_name = 'raw' "
        "and table_name = 'schema_versions'"
    ).fetchall()[0][0]
    rows = connection.execute("select version from raw.schema_versions").fetchall() if is_versioned else []
    applied = {version for (version,) in rows}
    if applied - set(migration_files()):
        raise FaultError("warehouse_newer")
    return [version for version in migration_files() if version not in applied]


def add_text_column(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> None:
    """Add a column of text to a table of schema raw, as a contract that has grown asks for."""
    from sqlglot import exp

    statement = exp.Alter(
        this=exp.table_(table, db="raw", quoted=True),
        kind="TABLE",
        actions=[exp.ColumnDef(this=exp.to_identifier(column, quoted=True), kind=exp.DataType.build("varchar"))],
    )
    connection.execute(statement.sql("duckdb"))


def require_run(home: Home, run_id: str) -> None:
    """Raise KodomoError where the rows in the warehouse are not those of this run: a step was started by itself."""
    with connect(home) as connection:
        rows = connection.execute("select run_id from raw.run_parameters").fetchall()
    if rows != [(run_id,)]:
        raise KodomoError("The warehouse holds the rows of another run: start the whole batch, not one of its steps.")


def write_run_parameters(connection: duckdb.DuckDBPyConnection, run_id: str, as_of_on: dt.date) -> None:
    """Replace raw.run_parameters (one row): dbt reads the as-of date from it."""
    migrate(connection)
    connection.execute(
        "create or replace table raw.run_parameters as "
        "select ?::varchar as run_id, ?::date as as_of_on, now()::timestamp as started_at",
        [run_id, as_of_on],
    )
