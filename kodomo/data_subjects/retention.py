"""Retention: what the register of data items lets be kept no longer is deleted, and a row says what and why.

The retention of a data item counts from the day of its delivery. A delivery's original and the records of its rejects
hold every item, so they go with the shortest retention of its source; the values of a column go with the column's own,
and the rows with the longest. Counts, hashes and decisions stay.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from kodomo import clock
from kodomo.contract import Column, Contract, load_contracts
from kodomo.errors import UsageError
from kodomo.home import Home
from kodomo.ingest.tables import delete_rows, ensure_tables
from kodomo.warehouse import connect, records, transaction

HELD, RESUMED = "retention_held", "retention_resumed"
EXPIRED = "expired"
EXPIRED_REASON = "Its retention is over: it was deleted, and is listed by `kodomo retention deleted`."


@dataclass(frozen=True)
class Due:
    """Something whose retention is over. ``delivery_id``: of what people typed, the id of the record."""

    delivery_id: str
    source_id: str
    what: str
    """original, rejected_records, column, rows or entry."""
    column_name: str | None
    item_count: int
    kept_from: dt.date
    kept_until: dt.date
    retention_months: int


def due(home: Home, as_of_on: dt.date) -> list[Due]:
    """What may be kept no longer on a date, and is not on hold; nothing is deleted.

    Raises KodomoError while another run is writing the warehouse.
    """
    with connect(home) as connection:
        ensure_tables(connection, load_contracts())
        items = _due_of_deliveries(connection, home, as_of_on)
    return items + _due_entries(home, as_of_on)


def delete_due(home: Home, as_of_on: dt.date, decided_by: str) -> list[Due]:
    """Delete what is due on a date, each delivery in one transaction with its record; returns what was deleted.

    Raises UsageError for a date in the future: nothing is deleted before its time.
    """
    if as_of_on > clock.today():
        raise UsageError("Nothing is deleted before its time: `kodomo retention list --as-of DATE` shows what will be.")
    contracts = load_contracts()
    with connect(home) as connection:
        ensure_tables(connection, contracts)
        due_items = _due_of_deliveries(connection, home, as_of_on)
        by_delivery: dict[str, list[Due]] = {}
        for one in due_items:
            by_delivery.setdefault(one.delivery_id, []).append(one)
        for delivery_id, items in by_delivery.items():
            with transaction(connection):
                for one in items:
                    _delete(connection, contracts[one.source_id], one, decided_by)
                    _record(connection, one, decided_by)
            # Last: a file that is gone without its record could not be accounted for.
            if any(one.what == "original" for one in items):
                _unlink(connection, home, delivery_id)
        if due_items:
            connection.execute("checkpoint")
    entries = _due_entries(home, as_of_on)
    if entries:
        _erase_entries(home, entries, decided_by)
    return due_items + entries


def decide(home: Home, delivery_id: str, is_held: bool, reason: str, decided_by: str) -> None:
    """Keep a delivery beyond its retention (for a request, an audit, a lawsuit), or no longer.

    Raises UsageError for a delivery that is not there, without a reason, or where nothing would change.
    """
    if not reason.strip():
        raise UsageError("A decision needs its reason: --reason TEXT.")
    with connect(home) as connection:
        ensure_tables(connection, load_contracts())
        if not connection.execute("select 1 from raw.deliveries where delivery_id = ?", [delivery_id]).fetchall():
            raise UsageError(
                "There is no delivery {delivery_id}: `kodomo delivery list` shows them.", delivery_id=delivery_id
            )
        if (delivery_id in _on_hold(connection)) == is_held:
            raise UsageError(
                "The delivery {delivery_id} is kept beyond its retention."
                if is_held
                else "The delivery {delivery_id} is not kept beyond its retention.",
                delivery_id=delivery_id,
            )
        connection.execute(
            "insert into raw.delivery_events values (?, ?, ?, ?, now()::timestamp)",
            [delivery_id, HELD if is_held else RESUMED, decided_by, reason],
        )


def deleted(home: Home) -> list[dict[str, Any]]:
    """What was deleted so far, latest first."""
    with connect(home, read_only=True) as connection:
        return records(connection, "select * from raw.retention_deletions order by deleted_at desc, delivery_id, what")


def _on_hold(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "select delivery_id from raw.delivery_events where status in (?, ?) "
        "qualify row_number() over (partition by delivery_id order by decided_at desc) = 1 and status = ?",
        [HELD, RESUMED, HELD],
    ).fetchall()
    return {row[0] for row in rows}


def _months(column: Column) -> int | None:
    """The retention of a column; None where the register says none, so that nothing of it is deleted."""
    months = column.register.get("retention_months")
    return int(months) if months else None


def original_until(contract: Contract, delivered_on: dt.date) -> dt.date | None:
    """The last day on which the original of a delivery may be kept; None where the register says none."""
    known = [number for column in contract.columns if (number := _months(column)) is not None]
    return _until(delivered_on, min(known)) if known else None


def _until(day: dt.date, months: int) -> dt.date:
    """The last day of a retention that counts from ``day``."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > dt.MAXYEAR:
        return dt.date.max
    for last in (day.day, 30, 29, 28):
        try:
            return dt.date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has a 28th day")


def _due_of_deliveries(connection: duckdb.DuckDBPyConnection, home: Home, as_of_on: dt.date) -> list[Due]:
    contracts = load_contracts()
    on_hold = _on_hold(connection)
    deliveries = records(connection, "select * from raw.deliveries where kind <> 'entry' order by delivery_id")
    needed: set[str] = set()
    """Hashes of originals that some delivery may still keep, or has to."""
    past: list[tuple[dict[str, Any], Contract, list[tuple[Column, int]]]] = []
    for delivery in deliveries:
        contract = contracts.get(delivery["source_id"])
        months = [(column, _months(column)) for column in contract.columns] if contract else []
        known = [(column, number) for column, number in months if number is not None]
        shortest = min((number for _, number in known), default=None)
        if (
            contract is None
            or shortest is None
            or delivery["delivery_id"] in on_hold
            or as_of_on <= _until(delivery["delivered_on"], shortest)
        ):
            needed.add(delivery["sha256"])
        else:
            past.append((delivery, contract, known))
    items: list[Due] = []
    for delivery, contract, known in past:
        items += _due_of(connection, home, delivery, contract, known, as_of_on, needed)
        # Two deliveries of the same content share one file, which is listed for the first of them only.
        needed.add(delivery["sha256"])
    return items


def _due_of(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    delivery: Mapping[str, Any],
    contract: Contract,
    known: list[tuple[Column, int]],
    as_of_on: dt.date,
    needed: set[str],
) -> list[Due]:
    delivery_id, kept_from = delivery["delivery_id"], delivery["delivered_on"]

    def count(sql: str) -> int:
        return connection.execute(sql, [delivery_id]).fetchall()[0][0]

    def item(what: str, number: int, months: int, column: str | None = None) -> list[Due]:
        until = _until(kept_from, months)
        return [Due(delivery_id, contract.source_id, what, column, number, kept_from, until, months)] if number else []

    shortest = min(months for _, months in known)
    items = []
    if delivery["sha256"] not in needed:
        items += item("original", int(home.original(delivery["sha256"]).exists()), shortest)
    items += item(
        "rejected_records",
        count("select count(*) from raw.rejects where delivery_id = ? and (record_bytes is not null or record <> '')"),
        shortest,
    )
    # Without a word on one column, the row stays.
    longest = max(months for _, months in known) if len(known) == len(contract.columns) else None
    if longest is not None and as_of_on > _until(kept_from, longest):
        rows = count(f"select count(*) from raw.{contract.source_id} where delivery_id = ?")
        return items + item("rows", rows, longest)
    for column, months in known:
        if as_of_on > _until(kept_from, months):
            values = count(
                f"select count({column.name}) from raw.{contract.source_id} where delivery_id = ?",
            )
            items += item("column", values, months, column.name)
    return items


def _delete(connection: duckdb.DuckDBPyConnection, contract: Contract, one: Due, decided_by: str) -> None:
    if one.what == "rejected_records":
        connection.execute(
            "update raw.rejects set record = null, record_bytes = null where delivery_id = ?", [one.delivery_id]
        )
    elif one.what == "column":
        column = contract.column(str(one.column_name))
        names = [column.name, f"{column.name}_as_delivered"] if column.keeps_text else [column.name]
        empty = ", ".join(f"{name} = null" for name in names)
        connection.execute(f"update raw.{contract.source_id} set {empty} where delivery_id = ?", [one.delivery_id])
    elif one.what == "rows":
        delete_rows(connection, contract.source_id, one.delivery_id)
        connection.execute(
            "update raw.deliveries set status = ?, reason = ? where delivery_id = ?",
            [EXPIRED, EXPIRED_REASON, one.delivery_id],
        )
        connection.execute(
            "insert into raw.delivery_events values (?, ?, ?, ?, now()::timestamp)",
            [one.delivery_id, EXPIRED, decided_by, f"Kept {one.retention_months} months, until {one.kept_until}."],
        )


def _record(connection: duckdb.DuckDBPyConnection, one: Due, decided_by: str) -> None:
    """Once: what was recorded and not deleted before the run broke off is recorded already."""
    connection.execute(
        "delete from raw.retention_deletions "
        "where delivery_id = ? and what = ? and column_name is not distinct from ? and what = 'original'",
        [one.delivery_id, one.what, one.column_name],
    )
    connection.execute(
        "insert into raw.retention_deletions values (now()::timestamp, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            decided_by,
            one.delivery_id,
            one.source_id,
            one.what,
            one.column_name,
            one.item_count,
            one.kept_from,
            one.kept_until,
            one.retention_months,
        ],
    )


def _unlink(connection: duckdb.DuckDBPyConnection, home: Home, delivery_id: str) -> None:
    (sha256,) = connection.execute("select sha256 from raw.deliveries where delivery_id = ?", [delivery_id]).fetchall()[
        0
    ]
    home.original(sha256).unlink(missing_ok=True)


def _due_entries(home: Home, as_of_on: dt.date) -> list[Due]:
    """Records that people typed into the form of a source, or of lines marked as wrong, by their last version's day."""
    from kodomo.entries.disputes import FORM as DISPUTED
    from kodomo.entries.forms import forms
    from kodomo.entries.store import EntryStore
    from kodomo.ingest.entries import has_entries

    if not has_entries(home):
        return []
    contracts = load_contracts()
    sources = {form.name: contracts[form.source] for form in forms().values() if form.source}
    items = []
    for version in EntryStore(home).current(with_deleted=True):
        # A marked line copies a fact: it is kept as long as the source that the fact is of.
        copied = contracts.get(version.content.get("source_id", "")) if version.form == DISPUTED else None
        contract = sources.get(version.form) or copied
        months = [_months(column) for column in contract.columns] if contract else [None]
        if contract is None or not version.content or None in months:
            continue
        longest = max(number for number in months if number is not None)
        kept_from = version.entered_at.date()
        until = _until(kept_from, longest)
        if as_of_on > until:
            items.append(
                Due(version.record_id, contract.source_id, "entry", None, version.version, kept_from, until, longest)
            )
    return items


def _erase_entries(home: Home, entries: list[Due], decided_by: str) -> None:
    from kodomo.entries.store import EntryStore

    store = EntryStore(home)
    for one in entries:
        store.erase(one.delivery_id, by=decided_by, reason=f"保存期間満了（{one.kept_until}）")
        with connect(home) as connection:
            _record(connection, one, decided_by)
