"""The warehouse file: who opens it, and what a run writes into it before dbt starts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

from kodomo.errors import KodomoError, WarehouseBusyError
from kodomo.home import Home


@contextmanager
def connect(home: Home, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the warehouse, closed at the end; a writer locks every reader out, so keep it short.

    Raises KodomoError when there is no warehouse to read, WarehouseBusyError when another run is writing it.
    """
    if read_only and not home.warehouse.exists():
        raise KodomoError("There is no warehouse yet: run `kodomo run --landing DIR --as-of DATE` first.")
    home.ensure()
    try:
        connection = duckdb.connect(str(home.warehouse), read_only=read_only)
    except duckdb.IOException as error:
        # The engine's message names a path and a process: neither is for the reader.
        raise WarehouseBusyError("The warehouse is in use by another run: wait until it has ended.") from error
    try:
        yield connection
    finally:
        connection.close()


def records(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None
) -> list[dict[str, Any]]:
    """The rows of a query as dictionaries, column by column; ``parameters`` are bound by name or in order."""
    result = connection.execute(query, parameters)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


ENTRY_TABLES = """
create schema if not exists raw;
create table if not exists raw.decisions (
    decision_id varchar, person_id varchar, meeting_on date, decided_on date, decision varchar,
    agrees_with_tier boolean, disagreement_reason varchar, support_content varchar, lead_agency varchar,
    review_on date, decided_by varchar, entered_at timestamp, disagreement_item varchar
);
alter table raw.decisions add column if not exists disagreement_item varchar;
create table if not exists raw.supports (
    support_id varchar, decision_id varchar, person_id varchar, started_on date, ended_on date,
    support_content varchar, lead_agency varchar, outcome varchar, entered_by varchar, entered_at timestamp
);
create table if not exists raw.link_reviews (
    decided_at timestamp, decided_by varchar, source_id varchar, source_key varchar, decision varchar,
    person_id varchar, reason varchar
);
create table if not exists raw.code_decisions (code_list varchar, spelling varchar, code varchar);
"""


def ensure_entry_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables of what people enter and decide, where they are missing."""
    connection.execute(ENTRY_TABLES)


def write_run_parameters(connection: duckdb.DuckDBPyConnection, run_id: str, as_of_on: dt.date) -> None:
    """Replace raw.run_parameters (one row): dbt reads the as-of date from it."""
    connection.execute("create schema if not exists raw")
    connection.execute(
        "create or replace table raw.run_parameters as "
        "select ?::varchar as run_id, ?::date as as_of_on, now()::timestamp as started_at",
        [run_id, as_of_on],
    )
