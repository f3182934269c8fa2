"""Decisions of stewards about deliveries: release, accept, withdraw. Each decision is a row of its own."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from kodomo.clock import today
from kodomo.contract import load_contracts, load_heading_rules
from kodomo.errors import KodomoError, UsageError
from kodomo.home import Home
from kodomo.ingest.files import ParsedFile, parse
from kodomo.ingest.records import file_of
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


def export_rejects(home: Home, delivery_id: str) -> bytes:
    """The open rejects of a delivery as the holder's own file: its heading row, its bytes, its encoding.

    Mended there, the file is delivered again, and its rows take the place of the rejects. Raises UsageError for a
    delivery that is not there or has no rejects to mend.
    """
    with connect(home, read_only=True) as connection:
        delivery = connection.execute(
            "select sha256, source_id from raw.deliveries where delivery_id = ?", [delivery_id]
        ).fetchall()
        # Also of a delivery that is held or withdrawn: its holder may mend it all the same.
        unmended = connection.execute(
            "select record_bytes from raw.reject_states where delivery_id = ? and resolved_by_delivery_id is null "
            "and record_bytes is not null order by line_number",
            [delivery_id],
        ).fetchall()
    if not delivery:
        raise no_such_delivery(delivery_id)
    if not unmended:
        raise UsageError("The delivery {delivery_id} has no rejects to mend.", delivery_id=delivery_id)
    return _as_holders_file(home, *delivery[0], [bytes(row[0]) for row in unmended])


def _as_holders_file(home: Home, sha256: str, source_id: str, records: list[bytes]) -> bytes:
    """Records under the heading row of the original that they are from, in its encoding."""
    data = home.original(sha256).read_bytes()
    return _under_headings(data, parse(data, load_contracts()[source_id], load_heading_rules()), records)


@dataclass(frozen=True)
class RejectFile:
    """Rejects as the holder's own file, and how many were left out of it."""

    content: bytes
    left_out: int


@dataclass(frozen=True)
class People:
    """People by what a record may name them with."""

    numbers: frozenset[str] = frozenset()
    """Without zeros in front."""
    names: frozenset[str] = frozenset()
    """As ``_plain``."""

    @classmethod
    def of(cls, numbers: Iterable[str | None], names: Iterable[str | None]) -> People:
        """From numbers and names as they are kept; empty ones name nobody."""
        stripped = frozenset(number.lstrip("0") for number in numbers if number)
        return cls(stripped - {""}, frozenset(_plain(name) for name in names if name) - {""})

    def are_named_in(self, text: str) -> bool:
        """Whether a record names one of them."""
        plain = _plain(text)
        numbers = {digits.lstrip("0") for digits in _DIGITS.findall(plain)}
        return not numbers.isdisjoint(self.numbers) or any(name in plain for name in self.names)


_DIGITS = re.compile("[0-9]+")


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def rejects_of_original(
    home: Home, sha256: str, source_id: str, lines: Collection[int], without: People | None = None
) -> RejectFile:
    """Records of a kept original by their lines, as ``export_rejects`` writes them; the warehouse is not asked.

    ``without``: people whose records are left out. Raises KodomoError where the original is no longer kept, and
    UsageError where none of the lines is in it.
    """
    try:
        data = home.original(sha256).read_bytes()
    except FileNotFoundError as error:
        raise KodomoError("The original of this delivery is no longer kept: ask the holder for the file.") from error
    parsed = parse(data, load_contracts()[source_id], load_heading_rules())
    wanted = set(lines)
    found = {reject.line_number: reject.record_bytes for reject in parsed.rejects if reject.line_number in wanted}
    for position in np.flatnonzero(np.isin(parsed.line_numbers, [*wanted])):
        found[int(parsed.line_numbers[position])] = parsed.raw_records(int(position))
    if not found:
        raise UsageError("The lines to mend are not in the original of this delivery.")
    kept = [
        record
        for _, record in sorted(found.items())
        if without is None or not without.are_named_in(record.decode(parsed.text_encoding, errors="replace"))
    ]
    return RejectFile(_under_headings(data, parsed, kept), len(found) - len(kept))


def _under_headings(data: bytes, parsed: ParsedFile, records: list[bytes]) -> bytes:
    return file_of([parsed.heading_record, *records], data, parsed.delivered_encoding)
