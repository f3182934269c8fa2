"""The tables of schema raw: one per source from its contract, and what ingest itself records."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from kodomo.contract import Contract
from kodomo.warehouse import add_text_column, migrate

# What holds rows of a delivery, beside the table of its source.
ACCOUNTS = ("rejects", "value_issues", "unknown_headings", "gaiji")


def ensure_tables(connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]) -> None:
    """Bring schema raw to this version: its records by migration, the table of each source by its contract.

    A source without a delivery is an empty table. Raises KodomoError for a home of a later version.
    """
    migrate(connection)
    existing: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from information_schema.columns where table_schema = 'raw'"
    ).fetchall():
        existing.setdefault(table, set()).add(column)
    for contract in contracts.values():
        names = raw_columns(contract)
        if contract.source_id not in existing:
            columns = ", ".join(f"{name} varchar" for name in names)
            connection.execute(
                f"create table raw.{contract.source_id} (delivery_id varchar, line_number bigint, {columns})"
            )
            continue
        for name in names:
            if name not in existing[contract.source_id]:
                add_text_column(connection, contract.source_id, name)
    if contracts:
        write_layouts(connection, contracts)


def delete_rows(connection: duckdb.DuckDBPyConnection, source_id: str, delivery_id: str) -> None:
    """Delete all that was read from a delivery, within the caller's transaction; raw.deliveries keeps its counts."""
    for table in (source_id, *ACCOUNTS):
        connection.execute(f"delete from raw.{table} where delivery_id = ?", [delivery_id])


def raw_columns(contract: Contract) -> list[str]:
    """The text columns of a source's raw table: normalised, and as delivered where the text is shown to people."""
    names: list[str] = []
    for column in contract.columns:
        names.append(column.name)
        if column.keeps_text:
            names.append(f"{column.name}_as_delivered")
    return names


def write_data_items(connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]) -> None:
    """Replace raw.data_items by the register of data items that the contracts hold."""
    connection.execute(
        """
        create or replace table raw.data_items (
            source_id varchar, column_name varchar, heading varchar, holder varchar, status varchar, valid_from date,
            valid_to date, purpose varchar, legal_basis varchar, use varchar, permitted_purposes varchar,
            is_sensitive boolean, penal_clause_checked boolean, approved_by varchar, approved_on date,
            retention_months integer
        )
        """
    )
    as_they_are = (
        "status", "valid_from", "valid_to", "purpose", "legal_basis", "use", "penal_clause_checked", "approved_by",
        "approved_on", "retention_months",
    )  # fmt: skip
    rows = [
        {
            "source_id": contract.source_id,
            "column_name": column.name,
            "heading": column.heading,
            "holder": contract.holder,
            "permitted_purposes": "|".join(column.register.get("permitted_purposes") or []),
            "is_sensitive": column.sensitive,
            **{name: column.register.get(name) for name in as_they_are},
        }
        for contract in contracts.values()
        for column in contract.columns
    ]
    # Row by row the engine takes a second for these few hundred.
    connection.register("register_of_data_items", pa.Table.from_pylist(rows))
    connection.execute("insert into raw.data_items by name from register_of_data_items")
    connection.unregister("register_of_data_items")


def write_layouts(connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]) -> None:
    """Replace raw.layouts by the layouts that the contracts hold."""
    rows = [
        {"source_id": contract.source_id, "layout": layout.name, "title": layout.title}
        for contract in contracts.values()
        for layout in contract.layouts
    ]
    connection.register("layouts_of_contracts", pa.Table.from_pylist(rows))
    connection.execute("create or replace table raw.layouts as from layouts_of_contracts")
    connection.unregister("layouts_of_contracts")
