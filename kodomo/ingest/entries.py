"""Reads the entries database into the warehouse: deliveries of kind ``entry``, decisions, and their effects."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections.abc import Callable, Iterable
from typing import Any

import duckdb

from kodomo import clock
from kodomo.contract import Contract, load_contracts
from kodomo.entries.forms import Form, forms
from kodomo.entries.requests import is_granted
from kodomo.entries.store import EntryStore, Version, entries_uri
from kodomo.errors import KodomoError
from kodomo.files import write_atomically
from kodomo.home import Home
from kodomo.ingest.decisions import decide
from kodomo.ingest.deliveries import Delivery, replay, take
from kodomo.ingest.tables import delete_rows, ensure_tables, write_data_items
from kodomo.warehouse import connect, transaction

KIND = "entry"
TAKEN, APPLIED, FAILED = "taken", "applied", "failed"
SUPERSEDED = "What people have entered has changed: a later delivery holds it."
ERASED = "erased"


def has_entries(home: Home) -> bool:
    """Whether an entries database exists; none is created by the check."""
    return home.entries.exists() or not entries_uri(home).startswith("sqlite")


def take_entries(home: Home, run_id: str, progress: Callable[[str], None] | None = None) -> list[Delivery]:
    """Bring the warehouse up to what is entered at this moment; returns the deliveries that are new in this run.

    A source's entries are one delivery, whole each time; the one before is withdrawn. Run twice, it does nothing
    the second time.
    """
    if not has_entries(home):
        return []
    store = EntryStore(home)
    contracts = load_contracts()
    entered = store.current(with_deleted=True)
    by_form: dict[str, list[Version]] = {}
    for version in entered:
        by_form.setdefault(version.form, []).append(version)
    new = []
    with connect(home) as connection:
        ensure_tables(connection, contracts)
        write_data_items(connection, contracts)
        for form in forms().values():
            if form.source is None:
                continue
            present = [version for version in by_form.get(form.name, []) if not version.is_deleted]
            delivery = _deliver(connection, home, contracts[form.source], form, present, run_id)
            _forget_erased(connection, home, form.source, by_form.get(form.name, []))
            if delivery is not None:
                new.append(delivery)
                if progress is not None:
                    progress(delivery.file_name)
        _write_decisions(connection, by_form)
    store.note_effects([(version.record_id, version.version) for version in _plain(entered)], TAKEN, run_id)
    _decide_deliveries(home, store, by_form.get("delivery_decision", []), run_id)
    return new


def _plain(entered: Iterable[Version]) -> list[Version]:
    """The entries that take effect when read; the others are noted once they are carried out."""
    return [version for version in entered if version.form != "delivery_decision" and not is_granted(version)]


def entry_file(contract: Contract, form: Form, entered: Iterable[Version]) -> bytes:
    """The entries of a source as its holder would deliver them: the contract's headings, one line per record."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.heading for column in contract.columns])
    for version in entered:
        values = dict(version.content)
        if form.number:
            values[form.number] = record_number(version.record_id)
        if form.person_column and form.person_column not in values:
            values[form.person_column] = version.person_id or ""
        if form.department_column:
            values[form.department_column] = version.department
        # A record is one line: later steps read a line break within a text as a space.
        writer.writerow([values.get(column.name, "").replace("\n", " ") for column in contract.columns])
    return text.getvalue().encode("utf-8-sig")


def record_number(record_id: str) -> str:
    """The number of a record in the files: E and the first twelve digits of its id."""
    return f"E{record_id.replace('-', '')[:12].upper()}"


def _deliver(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    contract: Contract,
    form: Form,
    present: list[Version],
    run_id: str,
) -> Delivery | None:
    earlier = connection.execute(
        "select delivery_id, sha256, status, coalesce(reason, '') from raw.deliveries where source_id = ? and kind = ?",
        [contract.source_id, KIND],
    ).fetchall()
    if not present and not earlier:
        return None
    data = entry_file(contract, form, present)
    sha256 = hashlib.sha256(data).hexdigest()
    same = [delivery_id for delivery_id, digest, _, reason in earlier if digest == sha256 and reason != ERASED]
    delivery = None
    if present and not same:
        folder = home.entry_landing / contract.source_id
        today = clock.today()
        path = folder / f"{contract.source_id}_{today:%Y%m%d}_entry_{run_id}.csv"
        write_atomically(path, data)
        delivery = take(connection, home, contract, contract.source_id, path, today, run_id, KIND)
        # The store keeps the original.
        path.unlink()
        same = [delivery.delivery_id] if delivery else []
    for delivery_id, _, status, _ in earlier:
        if delivery_id not in same and status == "loaded":
            _set_status(connection, delivery_id, "withdrawn", SUPERSEDED)
    for delivery_id, _, status, reason in earlier:
        if present and delivery_id in same and status == "withdrawn" and reason == SUPERSEDED:
            _set_status(connection, delivery_id, "loaded", "What people have entered is as it was then.")
    return delivery


def _set_status(connection: duckdb.DuckDBPyConnection, delivery_id: str, status: str, reason: str) -> None:
    with transaction(connection):
        connection.execute(
            "update raw.deliveries set status = ?, reason = ? where delivery_id = ?",
            [status, None if status == "loaded" else reason, delivery_id],
        )
        connection.execute(
            "insert into raw.delivery_events values (?, ?, ?, ?, now()::timestamp)", [delivery_id, status, KIND, reason]
        )


def _forget_erased(connection: duckdb.DuckDBPyConnection, home: Home, source_id: str, entered: list[Version]) -> None:
    """Of records that were erased, take the rows and originals of withdrawn deliveries away: their count stays."""
    if not any(version.is_deleted and not version.content for version in entered):
        return
    withdrawn = connection.execute(
        "select delivery_id, sha256 from raw.deliveries where source_id = ? and kind = ? and status = 'withdrawn' "
        "and coalesce(reason, '') <> ?",
        [source_id, KIND, ERASED],
    ).fetchall()
    for delivery_id, sha256 in withdrawn:
        with transaction(connection):
            delete_rows(connection, source_id, delivery_id)
            connection.execute("update raw.deliveries set reason = ? where delivery_id = ?", [ERASED, delivery_id])
        home.original(sha256).unlink(missing_ok=True)


def _write_decisions(connection: duckdb.DuckDBPyConnection, by_form: dict[str, list[Version]]) -> None:
    """Replace what the tables of decisions hold of the records at hand, in one transaction."""
    with transaction(connection):
        for form, table, key, row in (
            ("decision", "raw.decisions", "decision_id", _decision_row),
            ("support", "raw.supports", "support_id", _support_row),
        ):
            entered = by_form.get(form, [])
            for version in entered:
                connection.execute(f"delete from {table} where {key} = ?", [version.record_id])
            for version in entered:
                if not version.is_deleted:
                    values = row(version)
                    connection.execute(
                        f"insert into {table} by name select {', '.join(f'? as {name}' for name in values)}",
                        list(values.values()),
                    )
        connection.execute("delete from raw.link_reviews")
        for version in by_form.get("link_review", []):
            content = version.content
            if not version.is_deleted:
                connection.execute(
                    "insert into raw.link_reviews values (?, ?, ?, ?, ?, ?, ?)",
                    [
                        version.entered_at,
                        version.entered_by,
                        content["source_id"],
                        content["source_key"],
                        content["decision"],
                        content.get("person_id"),
                        content["reason"],
                    ],
                )
        connection.execute("delete from raw.code_decisions")
        for version in by_form.get("code_decision", []):
            content = version.content
            if not version.is_deleted:
                connection.execute(
                    "insert into raw.code_decisions values (?, ?, ?)",
                    [content["code_list"], content["spelling"], content["code"]],
                )


def _decision_row(version: Version) -> dict[str, Any]:
    content = version.content
    agrees = content.get("agrees_with_tier")
    reasons = [content.get("disagreement_item"), content.get("disagreement_reason")]
    return {
        "decision_id": version.record_id,
        "person_id": version.person_id,
        "meeting_on": _date(content.get("meeting_on")),
        "decided_on": version.entered_at.date(),
        "decision": content["decision"],
        "agrees_with_tier": None if agrees is None else agrees == "yes",
        "disagreement_reason": "：".join(filter(None, reasons)) or None,
        "disagreement_item": content.get("disagreement_item"),
        "support_content": content.get("support_content"),
        "lead_agency": content.get("lead_agency"),
        "review_on": _date(content.get("review_on")),
        "decided_by": version.entered_by,
        "entered_at": version.entered_at,
        "as_of_then": _date(content.get("as_of_then")),
    }


def _support_row(version: Version) -> dict[str, Any]:
    content = version.content
    return {
        "support_id": version.record_id,
        "decision_id": content.get("decision_id"),
        "person_id": version.person_id,
        "started_on": _date(content.get("started_on")),
        "ended_on": _date(content.get("ended_on")),
        "support_content": content.get("support_content"),
        "lead_agency": content.get("lead_agency"),
        "outcome": content.get("outcome"),
        "entered_by": version.entered_by,
        "entered_at": version.entered_at,
    }


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _decide_deliveries(home: Home, store: EntryStore, entered: list[Version], run_id: str) -> None:
    """Carry out what was decided on deliveries since the last run; the page shows what was not possible."""
    known = store.effects()
    for version in entered:
        place = (version.record_id, version.version)
        if version.is_deleted or place in known:
            continue
        content = version.content
        try:
            if content["decision"] == "replay":
                replay(home, content["delivery_id"], content["reason"], version.entered_by)
            else:
                decide(home, content["delivery_id"], content["decision"], content["reason"], version.entered_by)
        except KodomoError as error:
            store.note_effects([place], FAILED, run_id, str(error))
        else:
            store.note_effects([place], APPLIED, run_id)
