"""Deliveries: from the landing folder to schema raw, each file once, with all its rows accounted for."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import duckdb

from kodomo.contract import Contract, load_contracts, load_heading_rules
from kodomo.errors import KodomoError, UsageError
from kodomo.home import Home
from kodomo.ingest.decisions import no_such_delivery
from kodomo.ingest.files import ParsedFile, RefusedError, parse
from kodomo.ingest.load import load
from kodomo.ingest.mending import loaded_lines, mended_by, record_mended
from kodomo.ingest.tables import delete_rows, ensure_tables, write_data_items
from kodomo.warehouse import connect

HELD_BELOW_PERCENT = 70
_DATE_IN_NAME = re.compile(r"(?<!\d)(\d{4})(\d{2})(\d{2})(?!\d)")


@dataclass(frozen=True)
class Delivery:
    """What became of one delivered file; ``rows_read = rows_loaded + rows_rejected``."""

    delivery_id: str
    source_id: str
    file_name: str
    sha256: str
    delivered_on: dt.date
    kind: str
    encoding: str | None
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    status: str
    reason: str | None

    def refused(self, reason: str) -> Delivery:
        """The same, refused: nothing of it was read."""
        return replace(self, status="refused", reason=reason)


def _unread(contract: Contract | None, kind: str | None, **known: Any) -> Delivery:
    """A delivery of which nothing has been read yet; ``kind``: other than the contract says."""
    kind = kind or (contract.delivery if contract else "full")
    nothing: dict[str, Any] = {"encoding": None, "rows_read": 0, "rows_loaded": 0, "rows_rejected": 0, "reason": None}
    return Delivery(kind=kind, status="held", **known, **nothing)


def ingest_landing(
    home: Home,
    landing: Path,
    run_id: str,
    *,
    strict: bool = False,
    progress: Callable[[str], None] | None = None,
) -> list[Delivery]:
    """Take every file of ``landing/<source>/`` that has not been taken yet, in the order of delivery.

    Returns the deliveries that are new in this run. Raises KodomoError when the folder holds no file at all, and,
    if ``strict``, when a delivery was refused or held (what was recorded stays).
    """
    contracts = load_contracts()
    files = sorted(delivered_files(landing), key=lambda item: (item[2], item[0], item[1].name))
    with connect(home) as connection:
        ensure_tables(connection, contracts)
        write_data_items(connection, contracts)
        if not files:
            raise KodomoError(
                "The landing folder holds no file: put each extract into landing/<source>/<source>_<YYYYMMDD>.csv."
            )
        deliveries = []
        for source_id, path, delivered_on in files:
            delivery = take(connection, home, contracts.get(source_id), source_id, path, delivered_on, run_id)
            if delivery is not None:
                deliveries.append(delivery)
            if progress is not None:
                progress(path.name)
    stopped = [delivery for delivery in deliveries if delivery.status in {"refused", "held"}]
    if strict and stopped:
        lines = [f"  {delivery.source_id}/{delivery.file_name}: {delivery.reason}" for delivery in stopped]
        raise KodomoError("Deliveries were not accepted:\n" + "\n".join(lines))
    return deliveries


def deliveries_of_run(home: Home, run_id: str) -> list[Delivery]:
    """The deliveries that a run has taken so far, in their order."""
    names = ", ".join(field.name for field in fields(Delivery))
    with connect(home) as connection:
        ensure_tables(connection, {})
        rows = connection.execute(
            f"select {names} from raw.deliveries where run_id = ? order by delivered_on, source_id, sequence", [run_id]
        ).fetchall()
    return [Delivery(*row) for row in rows]


def last_delivered(home: Home, until: dt.date) -> dict[str, dt.date]:
    """By source, the day of its last loaded delivery up to a date; a source without one is not in it."""
    with connect(home, read_only=True) as connection:
        return dict(
            connection.execute(
                "select source_id, max(delivered_on) from raw.deliveries "
                "where status = 'loaded' and delivered_on <= ? group by source_id",
                [until],
            ).fetchall()
        )


def delivered_files(landing: Path) -> Iterator[tuple[str, Path, dt.date]]:
    """Source (the folder's name), path and delivery date of each file in the landing folder."""
    for folder in sorted(path for path in landing.iterdir() if path.is_dir() and not path.name.startswith(".")):
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                yield folder.name, path, delivery_date(path)


def delivery_date(path: Path) -> dt.date:
    """YYYYMMDD in the file's name, else the day on which it was last modified."""
    for match in _DATE_IN_NAME.finditer(path.stem):
        try:
            return dt.date(*(int(part) for part in match.groups()))
        except ValueError:
            continue
    return dt.date.fromtimestamp(path.stat().st_mtime)


def take(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    contract: Contract | None,
    source_id: str,
    path: Path,
    delivered_on: dt.date,
    run_id: str,
    kind: str | None = None,
) -> Delivery | None:
    """Take one file, in one transaction; None if it was taken before. ``kind``: other than the contract says."""
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    fingerprint = contract.fingerprint if contract else "no contract"
    earlier = connection.execute(
        "select file_name, status, contract_fingerprint from raw.deliveries where source_id = ? and sha256 = ?",
        [source_id, sha256],
    ).fetchall()
    taken = [row for row in earlier if row[1] != "refused" or row[2] == fingerprint]
    if any(file_name == path.name for file_name, _, _ in taken):
        return None
    connection.execute("begin")
    try:
        delivery = _take_new(connection, home, contract, source_id, path, data, sha256, delivered_on, bool(taken), kind)
        connection.execute(
            "insert into raw.deliveries values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, now()::timestamp, ?, ?, ?)",
            [
                delivery.delivery_id,
                delivery.source_id,
                delivery.file_name,
                delivery.sha256,
                delivery.delivered_on,
                delivery.kind,
                delivery.encoding,
                delivery.rows_read,
                delivery.rows_loaded,
                delivery.rows_rejected,
                delivery.status,
                delivery.reason,
                int(delivery.delivery_id.rsplit("-", 1)[1]),
                fingerprint,
                run_id,
            ],
        )
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return delivery


def _take_new(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    contract: Contract | None,
    source_id: str,
    path: Path,
    data: bytes,
    sha256: str,
    delivered_on: dt.date,
    is_duplicate: bool,
    other_kind: str | None = None,
) -> Delivery:
    sequence = connection.execute(
        "select coalesce(max(sequence), 0) + 1 from raw.deliveries where source_id = ? and delivered_on = ?",
        [source_id, delivered_on],
    ).fetchall()[0][0]
    delivery = _unread(
        contract,
        other_kind,
        delivery_id=f"{delivered_on:%Y%m%d}-{source_id}-{sequence:02d}",
        source_id=source_id,
        file_name=path.name,
        sha256=sha256,
        delivered_on=delivered_on,
    )
    if contract is None:
        return delivery.refused(
            f"There is no source {source_id}: the folder's name must be one of models/sources/*.yml."
        )
    if contract.delivery == "entry" and other_kind != "entry":
        return delivery.refused(f"{source_id} is typed into its form in Superset: no file is delivered for it.")
    if is_duplicate:
        return replace(delivery, status="duplicate", reason="The same bytes were delivered before under another name.")
    try:
        parsed = parse(data, contract, load_heading_rules())
    except RefusedError as error:
        if not error.is_forbidden:
            keep(home, data, sha256)
        return delivery.refused(f"{path.name}: {error}")
    keep(home, data, sha256)
    return _load(connection, home, contract, parsed, delivery)


def _load(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    contract: Contract,
    parsed: ParsedFile,
    delivery: Delivery,
) -> Delivery:
    """Load a file that was read, say which rejects it mends, and hold it if it has shrunk."""
    delivery_id, file_name, kind = delivery.delivery_id, delivery.file_name, delivery.kind
    counts = load(connection, contract, delivery_id, parsed)
    notes = [*parsed.notes]
    if kind != "entry":
        mended = mended_by(connection, home, contract, delivery_id, file_name)
        record_mended(connection, delivery_id, mended)
        if mended:
            of = sorted({reject.delivery_id for reject in mended})
            notes.append(f"Mends {len(mended)} rejects of {', '.join(of)}.")
            # A file of mended rows adds to the full delivery that they are missing from.
            if kind == "full" and (
                {reject.new_line_number for reject in mended} >= loaded_lines(connection, contract, delivery_id)
                or any(one in file_name for one in of)
            ):
                kind = "delta"
    if parsed.unknown_headings:
        notes.append(f"Headings that the contract does not know were not loaded: {'、'.join(parsed.unknown_headings)}.")
    status = "loaded"
    if kind == "full":
        last = connection.execute(
            "select rows_loaded from raw.deliveries where source_id = ? and kind = 'full' and status = 'loaded' "
            "and delivered_on <= ? and delivery_id <> ? order by delivered_on desc, sequence desc limit 1",
            [contract.source_id, delivery.delivered_on, delivery_id],
        ).fetchall()
        if last and 100 * counts.loaded < HELD_BELOW_PERCENT * last[0][0]:
            status = "held"
            notes.insert(
                0,
                f"{counts.loaded} rows, under 70 % of the {last[0][0]} of the last full delivery: "
                "release it with `kodomo delivery release`, or ask the holder for a whole file.",
            )
    return replace(
        delivery,
        kind=kind,
        encoding=parsed.encoding,
        rows_read=parsed.rows_read,
        rows_loaded=counts.loaded,
        rows_rejected=parsed.rows_read - counts.loaded,
        status=status,
        reason=" ".join(notes) or None,
    )


def replay(home: Home, delivery_id: str, reason: str, decided_by: str) -> Delivery:
    """Read a kept original once more, by the contract and the rules of today; it stays the same delivery.

    Its rows, rejects and issues are replaced in one transaction; what was withdrawn stays so, what was refused may
    become loaded or held. Raises UsageError for a delivery that is not there or was typed, and KodomoError where
    nothing of it was kept.
    """
    if not reason.strip():
        raise UsageError("A decision needs its reason: --reason TEXT.")
    contracts = load_contracts()
    with connect(home) as connection:
        ensure_tables(connection, contracts)
        found = connection.execute(
            "select source_id, file_name, sha256, delivered_on, kind, status, rows_loaded, rows_rejected "
            "from raw.deliveries where delivery_id = ?",
            [delivery_id],
        ).fetchall()
        if not found:
            raise no_such_delivery(delivery_id)
        source_id, file_name, sha256, delivered_on, kind, status, *before = found[0]
        contract = contracts.get(source_id)
        original = home.original(sha256)
        if contract is None or kind == "entry" or status == "duplicate":
            raise UsageError(f"The delivery {delivery_id} is no file of its own that could be read again.")
        if not original.exists():
            raise KodomoError(f"Nothing of the delivery {delivery_id} is kept: ask the holder for the file.")
        delivery = _unread(
            contract,
            None,
            delivery_id=delivery_id,
            source_id=source_id,
            file_name=file_name,
            sha256=sha256,
            delivered_on=delivered_on,
        )
        connection.execute("begin")
        try:
            mended = connection.execute(
                "select line_number, resolved_by_delivery_id, resolved_line_number, resolved_at from raw.rejects "
                "where delivery_id = ? and resolved_by_delivery_id is not null",
                [delivery_id],
            ).fetchall()
            delete_rows(connection, source_id, delivery_id)
            # While it is read again it does not count: what it mended before is open, and mended anew.
            connection.execute("update raw.deliveries set status = 'held' where delivery_id = ?", [delivery_id])
            connection.execute(
                "update raw.rejects set resolved_by_delivery_id = null, resolved_line_number = null, "
                "resolved_at = null where resolved_by_delivery_id = ?",
                [delivery_id],
            )
            try:
                parsed = parse(original.read_bytes(), contract, load_heading_rules())
            except RefusedError as error:
                delivery = delivery.refused(f"{file_name}: {error}")
            else:
                delivery = _load(connection, home, contract, parsed, delivery)
            if mended:
                connection.executemany(
                    "update raw.rejects set resolved_by_delivery_id = ?, resolved_line_number = ?, resolved_at = ? "
                    "where delivery_id = ? and line_number = ?",
                    [[*by, delivery_id, line_number] for line_number, *by in mended],
                )
            # A steward has decided on it before; a replay does not undo that.
            if status in {"withdrawn", "loaded"} and delivery.status in {"loaded", "held"}:
                delivery = replace(delivery, status=status)
            connection.execute(
                "update raw.deliveries set kind = ?, encoding = ?, rows_read = ?, rows_loaded = ?, rows_rejected = ?, "
                "status = ?, reason = ?, contract_fingerprint = ? where delivery_id = ?",
                [
                    delivery.kind,
                    delivery.encoding,
                    delivery.rows_read,
                    delivery.rows_loaded,
                    delivery.rows_rejected,
                    delivery.status,
                    delivery.reason,
                    contract.fingerprint,
                    delivery_id,
                ],
            )
            connection.execute(
                "insert into raw.delivery_events values (?, 'replayed', ?, ?, now()::timestamp)",
                [
                    delivery_id,
                    decided_by,
                    f"{reason} ({before[0]} loaded, {before[1]} rejected before; "
                    f"{delivery.rows_loaded} and {delivery.rows_rejected} now)",
                ],
            )
            connection.execute("commit")
        except BaseException:
            connection.execute("rollback")
            raise
    return delivery


def keep(home: Home, data: bytes, sha256: str) -> Path:
    """Keep the original, read-only, under its hash; a half-written file never has that name."""
    target = home.original(sha256)
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(file.name, 0o440)
    os.replace(file.name, target)
    return target
