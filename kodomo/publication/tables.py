"""The SQL of a publication: from the bi_ marts to the tables of the audiences, and from those to a scope's file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import duckdb

from kodomo.access.access import (
    DEPARTMENTS,
    PROTECTION,
    Access,
    PublishedTable,
    row_conditions,
)
from kodomo.access.scope import Scope
from kodomo.errors import KodomoError
from kodomo.keys import read_or_make_key

MARTS = "marts"


def quote(name: str) -> str:
    """An identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text of SQL."""
    return "'" + value.replace("'", "''") + "'"


def columns_of(connection: duckdb.DuckDBPyConnection, database: str, schema: str) -> dict[str, dict[str, str]]:
    """Columns with their types, by table, of one schema of an attached database."""
    rows = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where database_name = ? and schema_name = ? and not internal order by table_name, column_index",
        [database, schema],
    ).fetchall()
    tables: dict[str, dict[str, str]] = {}
    for table, column, data_type in rows:
        tables.setdefault(table, {})[column] = data_type
    return tables


def check_rules(access: Access, marts: dict[str, dict[str, str]]) -> None:
    """Raise KodomoError when a bi_ table has no rule, or lacks a column that its rule stands on."""
    needed = {
        "area": "area_code",
        "department": "departments",
        "holder": "holder",
        "protection": "is_dv_protected",
    }
    problems = [
        f"{name}: access.yml has no rule for it"
        for name in sorted(marts)
        if name.startswith("bi_") and name not in access.tables
    ]
    for table, rule in access.tables.items():
        columns = marts.get(table)
        if columns is not None:
            problems += [
                f"{table}: the column {needed[dimension]} is missing, on which its rule stands"
                for dimension in rule["rows"]
                if dimension in needed and needed[dimension] not in columns
            ]
    for audience in access.audiences.values():
        for table, grant in audience.grants.items():
            columns = marts.get(table)
            if columns is None:
                continue
            named = {*grant.pseudonyms, *(["holder"] if grant.holders else [])}
            problems += [
                f"{table}: the audience {audience.name} names the column {column}, which is not there"
                for column in sorted(named - set(columns))
            ]
    if problems:
        raise KodomoError(
            "Nothing was published. Rules and tables do not fit:\n  {problems}", problems="\n  ".join(problems)
        )


def audience_table_sql(table: PublishedTable, columns: dict[str, str], access: Access, source: str, key: str) -> str:
    """The query of a published table. ``source``: the bi_ mart; ``key``: what pseudonyms are made with."""
    without = set(table.grant.without)
    kept = [name for name in columns if name not in without and name != DEPARTMENTS]
    branches = []
    for department in table.departments if table.has_department_rows else [None]:
        conditions = _conditions(table, department, access)
        if not table.has_protection:
            branches.append(_branch(table, columns, kept, department, None, conditions, access, source, key))
            continue
        forms = {
            "none": "is_dv_protected is false",
            # What is not known to be unprotected is treated as protected.
            "full": "is_dv_protected is not false",
            "withheld": "is_dv_protected is not false",
        }
        branches += [
            _branch(table, columns, kept, department, form, [*conditions, condition], access, source, key)
            for form, condition in forms.items()
        ]
    return "\nunion all by name\n".join(branches)


def _conditions(table: PublishedTable, department: str | None, access: Access) -> list[str]:
    conditions = []
    if "department" in table.rows:
        conditions.append(f"contains({DEPARTMENTS}, {literal(f'|{department}|')})")
    if "holder" in table.rows and department != access.overseeing_department:
        conditions.append(f"holder = {literal(department or '')}")
    if table.grant.holders:
        conditions.append(f"holder in ({', '.join(map(literal, table.grant.holders))})")
    return conditions


def _branch(
    table: PublishedTable,
    columns: dict[str, str],
    kept: list[str],
    department: str | None,
    form: str | None,
    conditions: list[str],
    access: Access,
    source: str,
    key: str,
) -> str:
    selected = []
    for name in kept:
        if form == "withheld" and name in access.place_columns:
            selected.append(f"null::{columns[name]} as {quote(name)}")
        elif name in table.grant.pseudonyms:
            hashed = pseudonym_sql(quote(name), literal(key))
            selected.append(f"case when {quote(name)} is not null then {hashed} end as {quote(name)}")
        else:
            selected.append(quote(name))
    if department is not None:
        selected.append(f"{literal(f'|{department}|')}::varchar as {DEPARTMENTS}")
    if form is not None:
        selected.append(f"{literal(form)}::varchar as {PROTECTION}")
    where = f" where {' and '.join(conditions)}" if conditions else ""
    return f"select {', '.join(selected)} from {source}{where}"


def pseudonym_sql(value: str, key: str) -> str:
    """The pseudonym of a person's id; both are expressions of SQL."""
    return f"left(sha256({key} || {value}::varchar), 16)"


def pseudonym_of(person_id: str, key: str) -> str:
    """The pseudonym of a person, as ``pseudonym_sql`` makes it."""
    return hashlib.sha256(f"{key}{person_id}".encode()).hexdigest()[:16]


def pseudonym_key(path: Path) -> str:
    """The key of the pseudonyms, made at its first use in a file that only its owner reads."""
    return read_or_make_key(path)


def scope_table_sql(table: PublishedTable, scope: Scope, source: str) -> str:
    """The rows of a published table that a scope's file holds."""
    conditions = row_conditions(table, scope)
    where = f" where {' and '.join(conditions)}" if conditions else ""
    return f"select * from {source}{where}"


def published_of(tables: Iterable[PublishedTable], marts: Iterable[str]) -> list[PublishedTable]:
    """The tables whose bi_ mart exists: marts that the project does not have yet are left out."""
    names = set(marts)
    return [table for table in tables if table.source in names]
