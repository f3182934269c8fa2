"""What a steward decides about a delivery: release, withdraw. Each decision is a row of its own."""

from __future__ import annotations

import datetime as dt
from typing import Any

from orchestration.errors import KodomoError, UsageError
from orchestration.home import Home
from orchestration.warehouse import connect

TRANSITIONS = {"release": ({"held", "withdrawn"}, "loaded"), "withdraw": ({"loaded", "held"}, "withdrawn")}
COLUMNS = (
    "delivery_id",
    "source_id",
    "file_name",
    "delivered_on",
    "kind",
    "rows_read",
    "rows_loaded",
    "rows_rejected",
    "status",
    "reason",
)


def list_deliveries(home: Home, source_id: str | None = None) -> list[dict[str, Any]]:
    """The deliveries, latest first; of one source if it is named."""
    with connect(home, read_only=True) as connection:
        rows = connection.execute(
            f"select {', '.join(COLUMNS)} from raw.deliveries "
            "where ?::varchar is null or source_id = ? order by delivered_on desc, delivery_id desc",
            [source_id, source_id],
        ).fetchall()
    return [
        {
            name: value.isoformat() if isinstance(value, dt.date) else value
            for name, value in zip(COLUMNS, row, strict=True)
        }
        for row in rows
    ]


def decide(home: Home, delivery_id: str, decision: str, reason: str, decided_by: str) -> str:
    """Release or withdraw a delivery, with its reason; the next run builds without or with it. Returns the status.

    Raises UsageError for a delivery that is not there or not in a state that allows it, or without a reason.
    """
    if not reason.strip():
        raise UsageError("A decision needs its reason: --reason TEXT.")
    allowed, status = TRANSITIONS[decision]
    with connect(home) as connection:
        rows = connection.execute("select status from raw.deliveries where delivery_id = ?", [delivery_id]).fetchall()
        if not rows:
            raise UsageError(f"There is no delivery {delivery_id}: `kodomo delivery list` shows them.")
        if rows[0][0] not in allowed:
            raise KodomoError(
                f"The delivery {delivery_id} is {rows[0][0]}: only {' or '.join(sorted(allowed))} can be changed so."
            )
        connection.execute("begin")
        connection.execute("update raw.deliveries set status = ? where delivery_id = ?", [status, delivery_id])
        connection.execute(
            "insert into raw.delivery_events values (?, ?, ?, ?, now()::timestamp)",
            [delivery_id, status, decided_by, reason],
        )
        connection.execute("commit")
    return status


def list_rejects(home: Home, delivery_id: str | None = None) -> list[dict[str, Any]]:
    """Line, column and reason of each reject, without the record, and what has become of it; of one delivery if named.

    ``state``: open; mended (``resolved_by_delivery_id`` brought the row); superseded (a later full delivery
    replaced its delivery); or the status of a delivery that does not count.
    """
    names = (
        "delivery_id",
        "line_number",
        "reason_code",
        "column_name",
        "state",
        "resolved_by_delivery_id",
        "resolved_line_number",
    )
    with connect(home, read_only=True) as connection:
        rows = connection.execute(
            """
            with ranked as (
                select *, row_number() over (partition by source_id order by delivered_on, sequence) as delivery_rank
                from raw.deliveries
            ),
            last_full as (
                select source_id, max(delivery_rank) as full_rank from ranked
                where kind = 'full' and status = 'loaded' group by source_id
            )
            select
                rejects.delivery_id, rejects.line_number, rejects.reason_code, rejects.column_name,
                case
                    when ranked.status <> 'loaded' then ranked.status
                    when resolved.status = 'loaded' then 'mended'
                    when ranked.delivery_rank < last_full.full_rank then 'superseded'
                    else 'open'
                end as state,
                resolved.delivery_id, case when resolved.delivery_id is not null then rejects.resolved_line_number end
            from raw.rejects as rejects
            inner join ranked on rejects.delivery_id = ranked.delivery_id
            left join last_full on ranked.source_id = last_full.source_id
            left join raw.deliveries as resolved
                on rejects.resolved_by_delivery_id = resolved.delivery_id and resolved.status = 'loaded'
            where ?::varchar is null or rejects.delivery_id = ?
            order by rejects.delivery_id, rejects.line_number
            """,
            [delivery_id, delivery_id],
        ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


def export_rejects(home: Home, delivery_id: str) -> bytes:
    """The open rejects of a delivery as the holder's own file: its heading row, its bytes, its encoding.

    Mended there, the file is delivered again, and its rows take the place of the rejects. Raises UsageError for a
    delivery that is not there or has no rejects to mend.
    """
    with connect(home, read_only=True) as connection:
        delivery = connection.execute(
            "select sha256, encoding from raw.deliveries where delivery_id = ?", [delivery_id]
        ).fetchall()
        records = connection.execute(
            "select record_bytes from raw.rejects as rejects left join raw.deliveries as resolved "
            "on rejects.resolved_by_delivery_id = resolved.delivery_id "
            "where rejects.delivery_id = ? and resolved.status is distinct from 'loaded' "
            "and record_bytes is not null order by line_number",
            [delivery_id],
        ).fetchall()
    if not delivery:
        raise UsageError(f"There is no delivery {delivery_id}: `kodomo delivery list` shows them.")
    if not records:
        raise UsageError(f"The delivery {delivery_id} has no rejects to mend.")
    return _as_holders_file(home, delivery[0][0], delivery_id.split("-", 2)[1], [bytes(row[0]) for row in records])


def _as_holders_file(home: Home, sha256: str, source_id: str, records: list[bytes]) -> bytes:
    """Records under the heading row of the original that they are from, in its encoding."""
    from orchestration.contract import load_contracts, load_heading_rules
    from orchestration.ingest.files import parse
    from orchestration.ingest.records import file_of

    data = (home.store / sha256[:2] / sha256).read_bytes()
    parsed = parse(data, load_contracts()[source_id], load_heading_rules())
    return file_of([parsed.heading_record, *records], data, parsed.delivered_encoding)
