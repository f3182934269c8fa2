"""Marts as files, for auditors and checks."""

from __future__ import annotations

import codecs
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from kodomo.access.access import read_access
from kodomo.access.places import withheld_people
from kodomo.csv_files import formula_free_sql
from kodomo.errors import KodomoError, UsageError
from kodomo.files import atomic_path
from kodomo.home import Home
from kodomo.publication import exported_file
from kodomo.publication.tables import MARTS, literal, quote
from kodomo.warehouse import connect

DECIDING = {"dim_person", "dim_household"}
"""Marts by which it is decided whose place is withheld."""
FORMATS = {"csv": "format csv, header", "parquet": "format parquet", "json": "format json, array true"}


PERSON_COLUMNS = re.compile(r"(^|_)(person|relative|mother|father)_id$")
"""Columns that name a person: a row that names one whose place is withheld shows no place."""
PEOPLE_COLUMNS = re.compile(r"(^path|_ids)$")
"""Columns that name several people, as a list or joined by ``>``."""
UNSHOWN_PLACES = ("moved_from", "moved_to", "path", "path_ids", "record", "reason", "text_value")
"""Columns of marts that may tell a place and that no page shows: addresses of moves, paths, text as delivered."""


@dataclass(frozen=True)
class Exported:
    """What was written: the rows, and how many of them are about people whose place is withheld."""

    rows: int
    withheld: int


def export_table(
    home: Home,
    table: str,
    file_format: str,
    out: Path,
    *,
    published: bool = False,
    entered: Collection[str] = (),
    without_places: bool = False,
) -> Exported:
    """Write a mart to ``out`` in a stable order of rows, whole or not at all; returns what was written.

    Only its owner reads the file. A CSV begins with a byte order mark: spreadsheets in Japan take it
    for CP932 otherwise, and takes no text for a formula.

    ``published``: the marts as they were published, else from the last build. ``without_places``: for those who are
    not authorised: places of people under a support measure, and of those who live with them, are empty (``entered``:
    the people of measures that staff typed since).
    Raises UsageError naming the tables that there are.
    """
    if file_format not in FORMATS:
        raise UsageError(
            "--format takes {names}, not {file_format}.", names=", ".join(FORMATS), file_format=file_format
        )
    with _opened(home, published) as connection:
        columns = _columns(connection, table)
        withheld = withheld_people(connection, entered) if _tables(connection) >= DECIDING else set(entered)
        connection.execute(
            "create or replace temp table withheld_person as select unnest($people::varchar[]) as person_id",
            {"people": sorted(withheld)},
        )
        is_withheld = _is_withheld(columns)
        places = {*read_access().place_columns, *UNSHOWN_PLACES} if without_places else set()
        selected = []
        for name, kind in columns.items():
            shown = formula_free_sql(quote(name)) if file_format == "csv" and kind == "VARCHAR" else quote(name)
            if name in places:
                # Whom a record names that could not be read is not known.
                shown = f"null::{kind}" if name == "record" else f"case when not ({is_withheld}) then {shown} end"
            selected.append(f"{shown} as {quote(name)}")
        with atomic_path(out) as draft:
            # Rows are in the order of what the table holds, whatever is shown of it.
            query = f"select {', '.join(selected)} from (from {MARTS}.{quote(table)} order by all)"
            connection.execute(f"copy ({query}) to {literal(str(draft))} ({FORMATS[file_format]})")
            if file_format == "csv":
                with atomic_path(draft) as marked:
                    _copy_with_mark(draft, marked)
        counted = f"select count(*), count(*) filter (where {is_withheld}) from {MARTS}.{quote(table)}"
        return Exported(*connection.execute(counted).fetchall()[0])


@contextmanager
def _opened(home: Home, published: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    if not published:
        with connect(home, read_only=True) as connection:
            yield connection
        return
    file = exported_file(home)
    if file is None:
        raise KodomoError("Nothing is in service yet: `kodomo run` publishes.")
    with duckdb.connect(str(file), read_only=True) as connection:
        yield connection


def _tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute("select table_name from information_schema.tables where table_schema = ?", [MARTS])
    return {row[0] for row in rows.fetchall()}


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Type by column of a mart. Raises UsageError naming the marts that there are."""
    tables = _tables(connection)
    if table not in tables:
        names = ", ".join(sorted(tables))
        raise UsageError("There is no table {table}: it must be one of {names}.", table=table, names=names)
    rows = connection.execute(
        "select column_name, data_type from information_schema.columns where table_schema = ? and table_name = ? "
        "order by ordinal_position",
        [MARTS, table],
    )
    return dict(rows.fetchall())


def _is_withheld(columns: Mapping[str, str]) -> str:
    """The condition in SQL under which a row tells of a person whose place is withheld; ``columns``: type by name."""
    conditions = [
        f"coalesce({quote(name)} in (select person_id from withheld_person), false)"
        for name in columns
        if PERSON_COLUMNS.search(name)
    ]
    for name, kind in columns.items():
        if PEOPLE_COLUMNS.search(name):
            people = quote(name) if kind.endswith("[]") else f"string_split({quote(name)}, '>')"
            conditions.append(f"coalesce(list_has_any({people}, (select list(person_id) from withheld_person)), false)")
    if "household_id" in columns:
        households = "select household_id from marts.dim_person semi join withheld_person using (person_id)"
        conditions.append(f"coalesce(household_id in ({households}), false)")
    return " or ".join(conditions) or "false"


def _copy_with_mark(source: Path, target: Path) -> None:
    target.touch(mode=0o600)
    with source.open("rb") as reader, target.open("wb") as writer:
        writer.write(codecs.BOM_UTF8)
        shutil.copyfileobj(reader, writer, 2**20)
