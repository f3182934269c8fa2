"""Rehearses a delivery: what taking a file would do, by the code that takes it, in a database that is thrown away.

What was delivered before comes from the reader of a publication or of the warehouse (``read_earlier``), and the rows of
it from the originals that are kept: the warehouse is not opened. No value of a person is in a result.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import duckdb
import pyarrow as pa

from kodomo.contract import Contract, heading_key, load_heading_rules
from kodomo.home import Home
from kodomo.ingest.deliveries import Delivery, rehearsed
from kodomo.ingest.files import RefusedError, parse
from kodomo.ingest.inspection import Misfit, misfits_of, recognised
from kodomo.ingest.layouts import spelled
from kodomo.ingest.load import load
from kodomo.ingest.records import detect_encoding
from kodomo.ingest.tables import ensure_tables
from kodomo.warehouse import records

MOST_LINES = 50
"""Of the rejects that are listed one by one."""
HEAD_BYTES = 4 * 1024 * 1024
"""The beginning of a file, by which its headings and the shapes of its values are shown."""
PROFILED = 14
"""Earlier deliveries of a source and kind whose columns a file is compared with: a year of monthly ones."""
_KNOWN = (
    "delivery_id", "source_id", "file_name", "sha256", "delivered_on", "kind", "encoding", "rows_read", "rows_loaded",
    "rows_rejected", "status", "received_at", "sequence", "layout",
)  # fmt: skip


@dataclass(frozen=True)
class Earlier:
    """What was delivered before of some sources, without what is in it."""

    deliveries: tuple[dict[str, Any], ...] = ()
    """As marts.fct_delivery has them."""
    mended: tuple[dict[str, Any], ...] = ()
    """Rejects that a later delivery has mended: delivery, line, and both of what mended it."""
    with_rejects: tuple[str, ...] = ()
    """Deliveries with rejects that are open."""
    profiles: tuple[tuple[Any, ...], ...] = ()
    """Rows of raw.column_profiles of the last deliveries."""
    accepted: tuple[tuple[Any, ...], ...] = ()
    """Source, column, measure, item and deviation of the findings that stewards have accepted."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Earlier:
        """From what ``as_dict`` gave."""
        return cls(**{name: tuple(value) for name, value in content.items()})


def read_earlier(connection: Any, deliveries: str, rejects: str, raw: str, sources: Collection[str]) -> Earlier:
    """What was delivered before of some sources. ``deliveries`` and ``rejects``: relations as fct_delivery, fct_reject.

    ``rejects`` has the state of each reject: raw.reject_states of a warehouse, or the mart. ``raw``: the schema that
    has the profiles of columns; a publication of an earlier kodomo has none.
    """
    mine = [[*sources]]
    profiles, accepted = [], []
    with suppress(duckdb.CatalogException):
        profiles = connection.execute(
            f"select profiles.* from {raw}.column_profiles as profiles semi join ("
            f"select delivery_id from {deliveries} where list_contains(?, source_id) and status = 'loaded' "
            "qualify row_number() over (partition by source_id, kind order by delivered_on desc, sequence desc) "
            f"<= {PROFILED}) using (delivery_id)",
            mine,
        ).fetchall()
        accepted = connection.execute(
            "select source_id, column_name, measure, item, deviation "
            f"from {raw}.finding_acceptances where list_contains(?, source_id)",
            mine,
        ).fetchall()
    return Earlier(
        deliveries=tuple(
            {name: str(value) if isinstance(value, dt.date) else value for name, value in row.items()}
            for row in records(
                connection,
                f"select {', '.join(_KNOWN)} from {deliveries} where list_contains(?, source_id) "
                "order by delivered_on, sequence",
                mine,
            )
        ),
        mended=tuple(
            records(
                connection,
                "select delivery_id, line_number, resolved_by_delivery_id, resolved_line_number "
                f"from {rejects} where list_contains(?, source_id) and resolved_by_delivery_id is not null",
                mine,
            )
        ),
        with_rejects=tuple(
            row["delivery_id"]
            for row in records(
                connection,
                f"select distinct delivery_id from {rejects} "
                "where list_contains(?, source_id) and state = 'open' order by all",
                mine,
            )
        ),
        profiles=tuple(profiles),
        accepted=tuple(accepted),
    )


@dataclass(frozen=True)
class Differences:
    """What differs from the last delivery, by the rows' keys; ``gone`` is None where one adds to those before."""

    delivery_id: str
    delivered_on: str
    rows_before: int
    rows_now: int
    new: int
    changed: int
    same: int
    gone: int | None
    columns: tuple[tuple[str, int], ...]
    """Heading and number of rows with another value, of the rows with the same key; the most first."""
    new_headings: tuple[str, ...]
    gone_headings: tuple[str, ...]


@dataclass(frozen=True)
class Rehearsal:
    """What taking a file would do."""

    delivery: Delivery
    misfits: tuple[Misfit, ...]
    rejects: tuple[tuple[int, str, str], ...]
    """Line, heading and reason of the first rejects."""
    mends: tuple[tuple[str, int], ...]
    """Delivery, and how many of its rejects the file mends."""
    differences: Differences | None


def rehearse(
    home: Home, data: bytes, contract: Contract, file_name: str, delivered_on: dt.date, earlier: Earlier
) -> Rehearsal:
    """What taking the bytes of a file under a name and a date would do."""
    with duckdb.connect(":memory:") as connection:
        ensure_tables(connection, {contract.source_id: contract})
        of_source = [row for row in earlier.deliveries if row["source_id"] == contract.source_id]
        _write_earlier(connection, of_source)
        _write_profiles(connection, contract, earlier)
        last = _last(connection, contract, delivered_on)
        before = _load_originals(connection, home, contract, of_source, {*earlier.with_rejects}, last)
        for row in earlier.mended:
            connection.execute(
                "update raw.rejects set resolved_by_delivery_id = $resolved_by_delivery_id, "
                "resolved_line_number = $resolved_line_number "
                "where delivery_id = $delivery_id and line_number = $line_number",
                row,
            )
        delivery = rehearsed(connection, home, contract, data, file_name, delivered_on)
        of_this = [delivery.delivery_id]
        is_read = delivery.status in {"loaded", "held"}
        return Rehearsal(
            delivery=delivery,
            misfits=misfits_of(connection, contract, delivery.delivery_id) if is_read else (),
            rejects=tuple(
                connection.execute(
                    "select line_number, coalesce(column_name, ''), reason_code from raw.rejects "
                    f"where delivery_id = ? order by line_number limit {MOST_LINES}",
                    of_this,
                ).fetchall()
            ),
            mends=tuple(
                connection.execute(
                    "select delivery_id, count(*) from raw.rejects where resolved_by_delivery_id = ? "
                    "group by all order by all",
                    of_this,
                ).fetchall()
            ),
            differences=_differences(connection, contract, delivery, before, data) if is_read and before else None,
        )


def head_of(data: bytes) -> bytes:
    """The beginning of a file up to the end of a line: all of a small one."""
    if len(data) <= HEAD_BYTES:
        return data
    if detect_encoding(data[:4]) == "utf-16":
        return data[:HEAD_BYTES]
    return data[: data.rfind(b"\n", 0, HEAD_BYTES) + 1] or data[:HEAD_BYTES]


def _write_earlier(connection: duckdb.DuckDBPyConnection, deliveries: Sequence[Mapping[str, Any]]) -> None:
    if deliveries:
        connection.executemany(
            f"insert into raw.deliveries ({', '.join(_KNOWN)}) values ({', '.join('?' for _ in _KNOWN)})",
            [[row[name] for name in _KNOWN] for row in deliveries],
        )


def _write_profiles(connection: duckdb.DuckDBPyConnection, contract: Contract, earlier: Earlier) -> None:
    names = ("delivery_id", "source_id", "column_name", "measure", "item", "number", "row_count")
    rows = [row for row in earlier.profiles if row[1] == contract.source_id]
    if rows:
        table = pa.table({name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)})
        connection.register("earlier_profiles", table)
        connection.execute("insert into raw.column_profiles by name select * from earlier_profiles")
        connection.unregister("earlier_profiles")
    for accepted in earlier.accepted:
        connection.execute("insert into raw.finding_acceptances values (?, ?, ?, ?, ?, '', '', '', now())", [*accepted])


def _last(connection: duckdb.DuckDBPyConnection, contract: Contract, delivered_on: dt.date) -> str | None:
    """The id of the delivery that a new one is compared with: of a source delivered whole, the last whole one."""
    rows = connection.execute(
        "select delivery_id from raw.deliveries where status = 'loaded' and delivered_on <= ? and kind = ? "
        "order by delivered_on desc, sequence desc limit 1",
        [delivered_on, contract.delivery],
    ).fetchall()
    return rows[0][0] if rows else None


def _load_originals(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    contract: Contract,
    deliveries: Sequence[Mapping[str, Any]],
    with_rejects: Collection[str],
    last: str | None,
) -> tuple[str, list[str]] | None:
    """Load the rejects that may be mended, and the rows of the last delivery; its id and headings, if it is kept."""
    before = None
    for row in deliveries:
        delivery_id = row["delivery_id"]
        if delivery_id != last and delivery_id not in with_rejects:
            continue
        try:
            data = home.original(row["sha256"]).read_bytes()
            load(connection, contract, delivery_id, parse(data, contract, load_heading_rules()))
        except (FileNotFoundError, RefusedError):
            # Past its retention, or of a contract that has changed since: there is nothing to compare with.
            continue
        if delivery_id == last:
            before = last, recognised(head_of(data), row["file_name"])[2]
        else:
            connection.execute(
                f"delete from raw.{contract.source_id} where delivery_id = ?",
                [delivery_id],
            )
    return before


def _differences(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    delivery: Delivery,
    before: tuple[str, list[str]],
    data: bytes,
) -> Differences:
    last, headings_before = before
    names = [column.name for column in contract.columns]
    key = contract.row_key or tuple(names)
    others = [name for name in names if name not in key]
    keyed = ", ".join(f"coalesce({name}, '')" for name in key)
    # Of rows with one key, the last corrects those before it.
    newest = ", ".join(f"arg_max(struct_pack(value := {name}), line_number).value as {name}" for name in others)
    rows = f"select [{keyed}] as row_key{', ' + newest if newest else ''}, 1 as is_there from raw.{contract.source_id}"
    is_other = [f"(past.{name} is distinct from now.{name})" for name in others] or ["false"]
    in_both = "past.is_there = 1 and now.is_there = 1"
    of_column = ", ".join(f"count(*) filter (where {in_both} and {one})" for one in is_other)
    counts = connection.execute(
        f"""
        with
        past as ({rows} where delivery_id = $last group by all),
        now as ({rows} where delivery_id = $this group by all)
        select
            count(*) filter (where past.is_there is null),
            count(*) filter (where now.is_there is null),
            count(*) filter (where {in_both} and ({" or ".join(is_other)})),
            count(*) filter (where {in_both} and not ({" or ".join(is_other)})),
            [{of_column}]
        from past
        full join now on past.row_key = now.row_key
        """,
        {"last": last, "this": delivery.delivery_id},
    ).fetchall()
    new, gone, changed, same, by_column = counts[0]
    ((rows_before, delivered_on),) = connection.execute(
        "select rows_loaded, delivered_on::varchar from raw.deliveries where delivery_id = ?", [last]
    ).fetchall()
    rules = load_heading_rules()
    past, now = (
        {spelled(heading_key(heading), contract, rules): heading for heading in headings if heading}
        for headings in (headings_before, recognised(head_of(data), delivery.file_name)[2])
    )
    labels = [contract.column(name).heading for name in others]
    return Differences(
        delivery_id=last,
        delivered_on=delivered_on,
        rows_before=rows_before,
        rows_now=delivery.rows_loaded,
        new=new,
        changed=changed,
        same=same,
        gone=gone if delivery.kind == "full" else None,
        columns=tuple(
            sorted(((label, n) for label, n in zip(labels, by_column, strict=False) if n), key=lambda pair: -pair[1])
        ),
        new_headings=tuple(now[name] for name in now if name not in past),
        gone_headings=tuple(past[name] for name in past if name not in now),
    )
