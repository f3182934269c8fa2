"""The tables of schema raw: one per source from its contract, and what ingest itself records."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from kodomo.contract import Contract

RECORD_TABLES = """
create schema if not exists raw;
create table if not exists raw.deliveries (
    delivery_id varchar primary key, source_id varchar not null, file_name varchar not null, sha256 varchar not null,
    delivered_on date not null, kind varchar not null, encoding varchar, rows_read bigint not null,
    rows_loaded bigint not null, rows_rejected bigint not null, status varchar not null, reason varchar,
    received_at timestamp not null, sequence integer not null, contract_fingerprint varchar, run_id varchar
);
create table if not exists raw.delivery_events (
    delivery_id varchar not null, status varchar not null, decided_by varchar, reason varchar,
    decided_at timestamp not null
);
create table if not exists raw.rejects (
    delivery_id varchar not null, source_id varchar not null, line_number bigint not null,
    reason_code varchar not null, column_name varchar, record varchar, record_bytes blob,
    resolved_by_delivery_id varchar, resolved_line_number bigint, resolved_at timestamp
);
alter table raw.rejects add column if not exists resolved_by_delivery_id varchar;
alter table raw.rejects add column if not exists resolved_line_number bigint;
alter table raw.rejects add column if not exists resolved_at timestamp;
create table if not exists raw.value_issues (
    delivery_id varchar, source_id varchar, line_number bigint, column_name varchar, issue_code varchar
);
create table if not exists raw.unknown_headings (delivery_id varchar, source_id varchar, heading varchar);
create table if not exists raw.gaiji (
    delivery_id varchar, source_id varchar, line_number bigint, column_name varchar, codepoint varchar
);
create table if not exists raw.quality_results (
    run_id varchar, layer varchar, table_name varchar, expectation varchar, severity varchar, status varchar,
    unexpected_count bigint, element_count bigint, checked_at timestamp, label_ja varchar
);
alter table raw.quality_results add column if not exists label_ja varchar;
create table if not exists raw.retention_deletions (
    deleted_at timestamp not null, deleted_by varchar not null, delivery_id varchar not null,
    source_id varchar not null, what varchar not null, column_name varchar, item_count bigint not null,
    kept_from date not null, kept_until date not null, retention_months integer not null
);
create table if not exists raw.person_deletions (
    request_id varchar not null, source_id varchar not null, delivery_id varchar not null,
    line_number bigint not null, run_id varchar not null, deleted_at timestamp not null
);
create or replace view raw.reject_states as
with ranked as (
    select *, row_number() over (partition by source_id order by delivered_on, sequence) as delivery_rank
    from raw.deliveries
),
last_full as (
    select source_id, max(delivery_rank) as full_rank
    from ranked
    where kind = 'full' and status = 'loaded'
    group by source_id
)
select
    rejects.* replace (
        resolved.delivery_id as resolved_by_delivery_id,
        case when resolved.delivery_id is not null then rejects.resolved_line_number end as resolved_line_number,
        case when resolved.delivery_id is not null then rejects.resolved_at end as resolved_at
    ),
    case
        when ranked.status <> 'loaded' then ranked.status
        when resolved.delivery_id is not null then 'mended'
        when ranked.delivery_rank < last_full.full_rank then 'superseded'
        else 'open'
    end as state
from raw.rejects as rejects
inner join ranked on rejects.delivery_id = ranked.delivery_id
left join last_full on ranked.source_id = last_full.source_id
left join raw.deliveries as resolved
    on rejects.resolved_by_delivery_id = resolved.delivery_id and resolved.status = 'loaded';
"""
# What holds rows of a delivery, beside the table of its source.
ACCOUNTS = ("rejects", "value_issues", "unknown_headings", "gaiji")


def ensure_tables(connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]) -> None:
    """Create what is missing in schema raw; a source without a delivery is an empty table."""
    connection.execute(RECORD_TABLES)
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
                connection.execute(f"alter table raw.{contract.source_id} add column {name} varchar")


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
