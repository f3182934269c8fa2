"""Decisions of stewards about deliveries: release, accept, withdraw. Each decision is a row of its own."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb

from kodomo.clock import today
from kodomo.contract import load_contracts
from kodomo.errors import KodomoError, UsageError
from kodomo.home import Home
from kodomo.warehouse import connect, records, transaction

TRANSITIONS = {
    "release": ({"held", "withdrawn"}, "loaded"),
    "accept": ({"held"}, "loaded"),
    "withdraw": ({"loaded", "held"}, "withdrawn"),
}
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
    """The deliveries, latest first; of one source if it is named. Raises UsageError for an unknown source."""
    sources = load_contracts()
    if source_id is not None and source_id not in sources:
        raise UsageError(
            "There is no source {source_id}: it must be one of {names}.",
            source_id=source_id,
            names=", ".join(sorted(sources)),
        )
    with connect(home, read_only=True) as connection:
        rows = records(
            connection,
            f"select {', '.join(COLUMNS)} from raw.deliveries "
            "where ?::varchar is null or source_id = ? order by delivered_on desc, delivery_id desc",
            [source_id, source_id],
        )
    return [
        {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in row.items()}
        for row in rows
    ]


def no_such_delivery(delivery_id: str) -> UsageError:
    """The error for an id that no delivery has."""
    return UsageError("There is no delivery {delivery_id}: `kodomo delivery list` shows them.", delivery_id=delivery_id)


def decide(home: Home, delivery_id: str, decision: str, reason: str, decided_by: str) -> str:
    """Release or withdraw a delivery, with its reason; the next run builds without or with it. Returns the status.

    To accept it is to release it, and not to hold a later delivery of the source for what was found in its columns. A
    delivery from the future that is released counts from the day on which it was received: later ones replace it.
    Raises UsageError for a delivery that is not there or not in a state that allows it, or without a reason.
    """
    if not reason.strip():
        raise UsageError("A decision needs its reason: --reason TEXT.")
    allowed, status = TRANSITIONS[decision]
    with connect(home) as connection:
        rows = connection.execute(
            "select status, source_id, delivered_on, received_at::date from raw.deliveries where delivery_id = ?",
            [delivery_id],
        ).fetchall()
        if not rows:
            raise no_such_delivery(delivery_id)
        if rows[0][0] not in allowed:
            raise KodomoError(
                "The delivery {delivery_id} is {value}: only {names} can be changed so.",
                delivery_id=delivery_id,
                value=rows[0][0],
                names=" or ".join(sorted(allowed)),
            )
        with transaction(connection):
            connection.execute("update raw.deliveries set status = ? where delivery_id = ?", [status, delivery_id])
            _, source_id, delivered_on, received_on = rows[0]
            if decision == "accept":
                _accept_findings(connection, delivery_id, reason, decided_by)
            if status == "loaded" and delivered_on > today():
                reason = f"{reason} (dated {delivered_on}, counts from {received_on})"
                connection.execute(
                    "update raw.deliveries set delivered_on = $day, sequence = (select coalesce(max(sequence), 0) + 1 "
                    "from raw.deliveries where source_id = $source and delivered_on = $day) "
                    "where delivery_id = $delivery",
                    {"day": received_on, "source": source_id, "delivery": delivery_id},
                )
            connection.execute(
                "insert into raw.delivery_events values (?, ?, ?, ?, now()::timestamp)",
                [delivery_id, status, decided_by, reason],
            )
    return status


def _accept_findings(connection: duckdb.DuckDBPyConnection, delivery_id: str, reason: str, decided_by: str) -> None:
    """Raises UsageError for a delivery that is not held for its columns."""
    accepted = connection.execute(
        "insert into raw.finding_acceptances by name select source_id, column_name, measure, item, deviation, "
        "delivery_id, ? as accepted_by, ? as reason, now()::timestamp as accepted_at from raw.delivery_findings "
        "where delivery_id = ?",
        [decided_by, reason, delivery_id],
    ).fetchall()
    if accepted == [(0,)]:
        raise UsageError(
            "The delivery {delivery_id} is not held for its columns: `kodomo delivery release` lets it count.",
            delivery_id=delivery_id,
        )


def list_findings(home: Home, delivery_id: str) -> list[dict[str, Any]]:
    """The columns for which a delivery is held, one row each, with what was accepted of it and why.

    Raises UsageError for a delivery that is not there.
    """
    with connect(home, read_only=True) as connection:
        if not connection.execute("select 1 from raw.deliveries where delivery_id = ?", [delivery_id]).fetchall():
            raise no_such_delivery(delivery_id)
        return records(
            connection,
            "select findings.column_name, findings.measure, findings.item, findings.deviation, findings.reason, "
            "accepted.accepted_by, accepted.reason as accepted_reason from raw.delivery_findings as findings "
            "left join raw.finding_acceptances as accepted using (delivery_id, column_name, measure, item) "
            "where delivery_id = ? order by all",
            [delivery_id],
        )


def list_rejects(home: Home, delivery_id: str | None = None) -> list[dict[str, Any]]:
    """Line, column and reason of each reject, without the record, and what has become of it; of one delivery if named.

    ``state``: open; mended (``resolved_by_delivery_id`` brought the row); superseded (a later full delivery
    replaced its delivery); or the status of a delivery that does not count. Raises UsageError for a delivery that there
    is not.
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
        if delivery_id is not None and not records(
            connection, "select 1 as is_known from raw.deliveries where delivery_id = ?", [delivery_id]
        ):
            raise no_such_delivery(delivery_id)
        return records(
            connection,
            f"select {', '.join(names)} from raw.reject_states where ?::varchar is null or delivery_id = ? "
            "order by delivery_id, line_number",
            [delivery_id, delivery_id],
        )
