"""Deliveries: from the landing folder to schema raw, each file once, with all its rows accounted for."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import duckdb

from kodomo.clock import today
from kodomo.contract import Contract, load_contracts, load_heading_rules
from kodomo.errors import KodomoError, UsageError, WarehouseBusyError, without_values
from kodomo.files import write_atomically
from kodomo.home import Home
from kodomo.ingest.decisions import no_such_delivery
from kodomo.ingest.deviations import compare_with_past, keep_findings
from kodomo.ingest.files import ForbiddenError, ParsedFile, RefusedError, may_be_kept, parse
from kodomo.ingest.folder import (
    LandedFile,
    LeftFile,
    Settling,
    UnreadableError,
    UnsettledError,
    landed_files,
    read_file,
    shown_name,
    unread_hash,
    unsettled,
)
from kodomo.ingest.load import Loaded, load
from kodomo.ingest.losses import register_losses
from kodomo.ingest.mending import loaded_lines, mended_by, record_mended
from kodomo.ingest.profiles import keep_profile, measure
from kodomo.ingest.tables import delete_rows, ensure_tables, write_data_items
from kodomo.messages import JAPANESE, Enumeration, Sentence, sentence_of
from kodomo.warehouse import connect, transaction

HELD_BELOW_PERCENT = 70
REGISTER = "resident_register"
OF_THE_MACHINE = (
    WarehouseBusyError,
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.OutOfMemoryException,
    duckdb.InterruptException,
    ImportError,
)
"""Errors that affect every file alike and are no fault of the file at hand."""


@dataclass(frozen=True)
class Delivery:
    """The outcome of one delivered file; ``rows_read = rows_loaded + rows_rejected``."""

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
    reason_ja: str | None
    layout: str | None = None
    """Name of the layout that the file is written in; None where it was not read."""

    def in_language(self, language: str) -> str:
        """The reason in a language; empty without one."""
        return (self.reason_ja if language == JAPANESE else self.reason) or self.reason or ""

    def refused(self, sentence: Sentence) -> Delivery:
        """The same, refused: nothing of it was read."""
        return replace(self, status="refused", **_reason(sentence))


def _reason(*sentences: Sentence) -> dict[str, str | None]:
    """The fields of a reason in English, for machines, and in Japanese, for stewards; empty without a sentence."""
    return {
        "reason": " ".join(map(str, sentences)) or None,
        "reason_ja": "".join(sentence.in_language(JAPANESE) for sentence in sentences) or None,
    }


def _about(file_name: str, error: KodomoError) -> Sentence:
    """What is wrong with a file, with its name."""
    return Sentence("{file_name}: {error}", file_name=file_name, error=sentence_of(error))


def _unread(contract: Contract | None, kind: str | None, **known: Any) -> Delivery:
    """A delivery of which nothing has been read yet; ``kind``: other than the contract says."""
    kind = kind or (contract.delivery if contract else "full")
    nothing: dict[str, Any] = {"encoding": None, "rows_read": 0, "rows_loaded": 0, "rows_rejected": 0}
    return Delivery(kind=kind, status="held", **known, **nothing, **_reason())


def ingest_landing(
    home: Home,
    landing: Path,
    run_id: str,
    *,
    strict: bool = False,
    progress: Callable[[str], None] | None = None,
    as_of_on: dt.date | None = None,
    settling: Settling | None = None,
    left: list[LeftFile] | None = None,
) -> list[Delivery]:
    """Take every file of ``landing/<source>/`` that has not been taken yet, in the order of delivery.

    ``as_of_on``: a delivery dated after this day and after today is from the future. ``settling``: which files may
    still be written; they stay, and are put into ``left``. Returns the deliveries that are new in this run. Raises
    KodomoError when the folder holds no file at all, and, if ``strict``, when a delivery was refused or held, or left
    (what was recorded stays).
    """
    contracts = load_contracts()
    files = sorted(landed_files(landing), key=lambda file: (file.delivered_on, file.source_id, file.name))
    waiting = unsettled(files, settling or Settling())
    left = left if left is not None else []
    with connect(home) as connection:
        ensure_tables(connection, contracts)
        write_data_items(connection, contracts)
        if not files:
            raise KodomoError(
                "The landing folder holds no file: put each extract into landing/<source>/<source>_<YYYYMMDD>.csv."
            )
        deliveries = []
        for file in files:
            try:
                if file.path in waiting:
                    raise UnsettledError(waiting[file.path].template, **waiting[file.path].details)
                delivery = _take_landed(connection, home, contracts, file, run_id, as_of_on)
            except UnsettledError as error:
                left.append(LeftFile(file.source_id, file.name, sentence_of(error)))
                continue
            if delivery is not None:
                deliveries.append(delivery)
            if progress is not None:
                progress(file.name)
    stopped = [delivery for delivery in deliveries if delivery.status in {"refused", "held"}]
    if strict and (stopped or left):
        reasons = [(delivery.source_id, delivery.file_name, delivery) for delivery in stopped]
        reasons += [(file.source_id, file.file_name, file.reason) for file in left]
        lines = [
            Sentence("\n  {source_id}/{file_name}: {reason}", source_id=source_id, file_name=file_name, reason=reason)
            for source_id, file_name, reason in reasons
        ]
        raise KodomoError("Deliveries were not accepted: {lines}", lines=Enumeration(lines))
    return deliveries


def _take_landed(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    contracts: Mapping[str, Contract],
    file: LandedFile,
    run_id: str,
    as_of_on: dt.date | None,
) -> Delivery | None:
    """Take a file of the landing folder, or refuse one that cannot be read; None if that was done before."""
    contract = contracts.get(file.source_id)
    try:
        if file.fault is not None:
            raise UnreadableError(file.fault.template, **file.fault.details)
        return take(connection, home, contract, file.source_id, file.path, file.delivered_on, run_id, as_of_on=as_of_on)
    except UnreadableError as error:
        file = replace(file, fault=sentence_of(error))
        sha256 = unread_hash(file)
        if taken_before(connection, contract, file.source_id, file.name, sha256):
            return None
        delivery = _numbered(
            connection, contract, None, source_id=file.source_id, file_name=file.name, sha256=sha256,
            delivered_on=file.delivered_on,
        )  # fmt: skip
        delivery = delivery.refused(_about(file.name, error))
        with transaction(connection):
            _record(connection, contract, delivery, run_id)
        return delivery


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


def take(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    contract: Contract | None,
    source_id: str,
    path: Path,
    delivered_on: dt.date,
    run_id: str,
    kind: str | None = None,
    as_of_on: dt.date | None = None,
) -> Delivery | None:
    """Take one file, in one transaction; None if it was taken before. ``kind``: other than the contract says.

    Whatever goes wrong with the file alone is a refusal of it. Raises UnreadableError and UnsettledError as
    ``read_file`` does, and what is wrong with the machine or the warehouse.
    """
    data = read_file(path)
    name = shown_name(path.name)
    sha256 = hashlib.sha256(data).hexdigest()
    earlier = _accepted_names(connection, contract, source_id, sha256)
    if name in earlier:
        return None
    known = {"source_id": source_id, "file_name": name, "sha256": sha256, "delivered_on": delivered_on}
    try:
        with transaction(connection):
            delivery = _numbered(connection, contract, kind, **known)
            delivery = _take_new(connection, home, contract, data, delivery, bool(earlier), kind, as_of_on)
            _record(connection, contract, delivery, run_id)
    except OF_THE_MACHINE:
        raise
    except Exception as error:
        is_full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
        # A run that is stopped: the engine makes this of the signal.
        is_stopped = type(error) is RuntimeError and "interrupted" in str(error)
        if is_full or is_stopped:
            raise
        if contract is not None and may_be_kept(data, load_heading_rules()):
            keep(home, data, sha256)
        delivery = _numbered(connection, contract, kind, **known).refused(
            Sentence(
                "{file_name}: it could not be read ({kind}: {cause}). Ask the holder for it as CSV again, or the "
                "operator of kodomo for the cause.",
                file_name=name,
                kind=type(error).__name__,
                cause=without_values(str(error))[:200],
            )
        )
        with transaction(connection):
            _record(connection, contract, delivery, run_id)
    return delivery


def rehearsed(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    contract: Contract,
    data: bytes,
    file_name: str,
    delivered_on: dt.date,
) -> Delivery:
    """What ``take`` would make of a file's bytes. Its rows go into the connection, of which nothing is meant to last.

    The original is not kept, whatever becomes of it. Raises what the bytes make a reader raise, as ``take`` catches it.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    is_duplicate = bool(_accepted_names(connection, contract, contract.source_id, sha256))
    known = {"source_id": contract.source_id, "file_name": file_name, "sha256": sha256, "delivered_on": delivered_on}
    delivery = _numbered(connection, contract, None, **known)
    return _take_new(connection, home, contract, data, delivery, is_duplicate, None, None, keeps=False)


def _accepted_names(
    connection: duckdb.DuckDBPyConnection, contract: Contract | None, source_id: str, sha256: str
) -> set[str]:
    """The names under which the same bytes were delivered before, except those refused by an earlier contract."""
    earlier = connection.execute(
        "select file_name, status, contract_fingerprint from raw.deliveries where source_id = ? and sha256 = ?",
        [source_id, sha256],
    ).fetchall()
    return {name for name, status, by in earlier if status != "refused" or by == _fingerprint(contract)}


def taken_before(
    connection: duckdb.DuckDBPyConnection, contract: Contract | None, source_id: str, file_name: str, sha256: str
) -> bool:
    """Whether the same bytes came before under the same name."""
    return file_name in _accepted_names(connection, contract, source_id, sha256)


def _fingerprint(contract: Contract | None) -> str:
    return contract.fingerprint if contract else "no contract"


def _numbered(
    connection: duckdb.DuckDBPyConnection, contract: Contract | None, kind: str | None, **known: Any
) -> Delivery:
    """A delivery with its id: of several on a day, the next one."""
    sequence = _next_sequence(connection, known["source_id"], known["delivered_on"])
    return _unread(
        contract, kind, delivery_id=f"{known['delivered_on']:%Y%m%d}-{known['source_id']}-{sequence:02d}", **known
    )


def _next_sequence(connection: duckdb.DuckDBPyConnection, source_id: str, delivered_on: dt.date) -> int:
    # By the ids too: a delivery that was released counts on another day than its id says.
    return connection.execute(
        "select coalesce(max(greatest(case when delivered_on = $day then sequence else 0 end, case when "
        "starts_with(delivery_id, $beginning) then split_part(delivery_id, '-', -1)::integer else 0 end)), 0) + 1 "
        "from raw.deliveries where source_id = $source",
        {"source": source_id, "day": delivered_on, "beginning": f"{delivered_on:%Y%m%d}-"},
    ).fetchall()[0][0]


def _record(connection: duckdb.DuckDBPyConnection, contract: Contract | None, delivery: Delivery, run_id: str) -> None:
    names = [field.name for field in fields(Delivery)]
    connection.execute(
        f"insert into raw.deliveries ({', '.join(names)}, received_at, sequence, contract_fingerprint, run_id) "
        f"values ({', '.join('?' for _ in names)}, now()::timestamp, ?, ?, ?)",
        [
            *(getattr(delivery, name) for name in names),
            int(delivery.delivery_id.rsplit("-", 1)[1]),
            _fingerprint(contract),
            run_id,
        ],
    )


def _take_new(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    contract: Contract | None,
    data: bytes,
    delivery: Delivery,
    is_duplicate: bool,
    other_kind: str | None,
    as_of_on: dt.date | None,
    *,
    keeps: bool = True,
) -> Delivery:
    """Read a file that has not come before. ``keeps``: its original is kept, where that is allowed."""
    source_id = delivery.source_id
    if contract is None:
        return delivery.refused(
            Sentence(
                "There is no source {source_id}: the folder's name must be one of models/sources/*.yml.",
                source_id=source_id,
            )
        )
    if contract.delivery == "entry" and other_kind != "entry":
        return delivery.refused(
            Sentence("{source_id} is typed into its form: no file is delivered for it.", source_id=source_id)
        )
    if is_duplicate:
        before = Sentence("The same bytes were delivered before under another name.")
        return replace(delivery, status="duplicate", **_reason(before))
    try:
        parsed = parse(data, contract, load_heading_rules())
    except RefusedError as error:
        if keeps and not isinstance(error, ForbiddenError):
            keep(home, data, delivery.sha256)
        return delivery.refused(_about(delivery.file_name, error))
    if keeps:
        keep(home, data, delivery.sha256)
    return _load(connection, home, contract, parsed, delivery, as_of_on)


def _load(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    contract: Contract,
    parsed: ParsedFile,
    delivery: Delivery,
    as_of_on: dt.date | None = None,
) -> Delivery:
    """Load a file that was read, note the rejects it mends, and hold it if it may be incomplete or unintended."""
    delivery_id, file_name, kind = delivery.delivery_id, delivery.file_name, delivery.kind
    counts = load(connection, contract, delivery_id, parsed)
    notes: list[Sentence] = []
    if kind != "entry":
        mended = mended_by(connection, home, contract, delivery_id, file_name)
        record_mended(connection, delivery_id, mended)
        if mended:
            of = sorted({reject.delivery_id for reject in mended})
            notes.append(
                Sentence("Mends {rejects} rejects of {deliveries}.", rejects=len(mended), deliveries=", ".join(of))
            )
            # A file of mended rows adds to the full delivery that they are missing from.
            if kind == "full" and (
                {reject.new_line_number for reject in mended} >= loaded_lines(connection, contract, delivery_id)
                or any(one in file_name for one in of)
            ):
                kind = "delta"
    if parsed.unknown_headings:
        unknown = "、".join(parsed.unknown_headings)
        notes.append(
            Sentence("Headings that the contract does not know were not loaded: {headings}.", headings=unknown)
        )
    holds: list[Sentence] = []
    if kind != "entry":
        last = _last_full(connection, delivery) if kind == "full" else None
        holds = _reasons_to_hold(connection, contract, parsed, delivery, last, counts, as_of_on)
        slips = _slips(connection, contract, delivery, kind, last, counts)
        holds += slips
    if holds:
        holds.append(Sentence("Release it with `kodomo delivery release`, or ask the holder for the right file."))
    return replace(
        delivery,
        kind=kind,
        encoding=parsed.encoding,
        rows_read=parsed.rows_read,
        rows_loaded=counts.loaded,
        rows_rejected=parsed.rows_read - counts.loaded,
        status="held" if holds else "loaded",
        layout=parsed.layout.name,
        **_reason(*holds, *notes),
    )


@dataclass(frozen=True)
class _LastFull:
    """The full delivery that another replaces."""

    rows_loaded: int
    delivery_id: str
    delivered_on: dt.date


def _last_full(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> _LastFull | None:
    last = connection.execute(
        "select rows_loaded, delivery_id, delivered_on from raw.deliveries where source_id = ? and kind = 'full' and "
        "status = 'loaded' and delivered_on <= ? and delivery_id <> ? "
        "order by delivered_on desc, sequence desc limit 1",
        [delivery.source_id, delivery.delivered_on, delivery.delivery_id],
    ).fetchall()
    return _LastFull(*last[0]) if last else None


def _reasons_to_hold(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    parsed: ParsedFile,
    delivery: Delivery,
    last: _LastFull | None,
    counts: Loaded,
    as_of_on: dt.date | None,
) -> list[Sentence]:
    """Why a steward should look at a delivery as a whole before it is used; empty for most.

    ``last``: the full delivery that it replaces.
    """
    reasons = [*parsed.doubts]
    latest = max(today(), as_of_on or dt.date.min)
    if delivery.delivered_on > latest:
        reasons.append(
            Sentence(
                "It is dated {delivered_on}, after {latest}: as the newest of its source it would be used until then.",
                delivered_on=delivery.delivered_on,
                latest=latest,
            )
        )
    if last is None:
        return reasons
    if 100 * counts.loaded < HELD_BELOW_PERCENT * last.rows_loaded:
        reasons.append(
            Sentence(
                "{loaded} rows, under {percent} % of the {rows} of the last full delivery.",
                loaded=counts.loaded,
                percent=HELD_BELOW_PERCENT,
                rows=last.rows_loaded,
            )
        )
    if contract.source_id == REGISTER:
        lost = register_losses(
            connection, last.delivery_id, last.delivered_on, delivery.delivery_id, delivery.delivered_on
        )
        if lost:
            reasons.append(
                Sentence(
                    "More people are missing than chance explains since {last_id}: {losses}.",
                    last_id=last.delivery_id,
                    losses=Enumeration(loss.in_words() for loss in lost),
                )
            )
    return reasons


def _slips(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    delivery: Delivery,
    kind: str,
    last: _LastFull | None,
    counts: Loaded,
) -> list[Sentence]:
    """Keep the profile of the delivery's columns, and say which of them are not as in the deliveries before."""
    before = last.delivery_id if last else None
    profile = measure(connection, contract, delivery.delivery_id, delivery.delivered_on, counts, before)
    keep_profile(connection, contract.source_id, profile)
    found = compare_with_past(connection, contract, profile, kind)
    keep_findings(connection, contract.source_id, delivery.delivery_id, found)
    if not found:
        return []
    return [
        Sentence(
            "Columns are not as in the deliveries before: {columns}.",
            columns=Enumeration(one.sentence for one in found),
        )
    ]


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
        rows = connection.execute(
            "select source_id, file_name, sha256, delivered_on, kind, status, rows_loaded, rows_rejected "
            "from raw.deliveries where delivery_id = ?",
            [delivery_id],
        ).fetchall()
        if not rows:
            raise no_such_delivery(delivery_id)
        source_id, file_name, sha256, delivered_on, kind, status, *before = rows[0]
        contract = contracts.get(source_id)
        original = home.original(sha256)
        if contract is None or kind == "entry" or status == "duplicate":
            raise UsageError(
                "The delivery {delivery_id} is no file of its own that could be read again.", delivery_id=delivery_id
            )
        if not original.exists():
            raise KodomoError(
                "Nothing of the delivery {delivery_id} is kept: ask the holder for the file.", delivery_id=delivery_id
            )
        delivery = _unread(
            contract,
            None,
            delivery_id=delivery_id,
            source_id=source_id,
            file_name=file_name,
            sha256=sha256,
            delivered_on=delivered_on,
        )
        with transaction(connection):
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
                delivery = delivery.refused(_about(file_name, error))
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
                "status = ?, reason = ?, reason_ja = ?, layout = ?, contract_fingerprint = ? where delivery_id = ?",
                [
                    delivery.kind,
                    delivery.encoding,
                    delivery.rows_read,
                    delivery.rows_loaded,
                    delivery.rows_rejected,
                    delivery.status,
                    delivery.reason,
                    delivery.reason_ja,
                    delivery.layout,
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
    return delivery


def keep(home: Home, data: bytes, sha256: str) -> Path:
    """Keep the original, read-only, under its hash; a half-written file never has that name."""
    target = home.original(sha256)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(target, data, mode=0o440)
    return target
