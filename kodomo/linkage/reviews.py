"""Decisions of people about who is who: a CSV in the home folder and rows of the entry form, kept as data."""

from __future__ import annotations

import csv
import datetime as dt
import unicodedata
from pathlib import Path

import duckdb
import pyarrow as pa

from kodomo.errors import UsageError
from kodomo.home import Home
from kodomo.parameters import parameter

COLUMNS = ("decided_at", "decided_by", "source_id", "source_key", "decision", "person_id", "reason")
DECISIONS = ("link", "separate", "undo")
"""link: the record is this person; separate: it is not this person (without one: no person of the register);
undo: the last decision about the record is as if it had not been made."""

ENTRY_TABLE = "raw.link_reviews"
REGISTER = "resident_register"
ATENA_WIDTH = parameter("person_number_width")


def decisions_file(home: Home) -> Path:
    """The CSV of decisions, in the order in which they were made."""
    return home.link_decisions


def append_decision(  # the columns of the file, in their order
    home: Home,
    decided_by: str,
    source_id: str,
    source_key: str,
    decision: str,
    person_id: str,
    reason: str,
    decided_at: dt.datetime | None = None,
) -> None:
    """Add a row; nothing that was decided before is changed.

    Raises UsageError for a decision without a name, a reason or (to link) a person, or one of another kind.
    """
    if decision not in DECISIONS:
        raise UsageError("A decision is one of {names}.", names=", ".join(DECISIONS))
    if not decided_by.strip() or not reason.strip():
        raise UsageError("A decision needs the name of who made it (--by) and a reason (--reason).")
    if decision == "link" and not person_id:
        raise UsageError("To link a record, say to whom (--person).")
    path = decisions_file(home.ensure())
    is_new = not path.exists()
    moment = (decided_at or dt.datetime.now(dt.UTC)).strftime("%Y-%m-%dT%H:%M:%S")
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            path.chmod(0o600)
            writer.writerow(COLUMNS)
        writer.writerow([moment, decided_by, source_id, source_key, decision, person_id, reason])


def read_decisions(path: Path) -> list[dict[str, str]]:
    """The rows of the CSV as they stand; no file, no rows. Raises UsageError naming the line that cannot be read."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or [])]
        if missing:
            raise UsageError("{name}, line 1: the column {value} is missing.", name=path.name, value=missing[0])
        rows = []
        for row in reader:
            if row["decision"] not in DECISIONS:
                raise UsageError(
                    "{name}, line {line_num}: a decision is one of {names}.",
                    name=path.name,
                    line_num=reader.line_num,
                    names=", ".join(DECISIONS),
                )
            try:
                dt.datetime.fromisoformat(row["decided_at"])
            except ValueError as error:
                raise UsageError(
                    "{name}, line {line_num}: decided_at is not a date (2024-04-01).",
                    name=path.name,
                    line_num=reader.line_num,
                ) from error
            needed = ["decided_by", "source_id", "source_key", "reason"]
            needed += ["person_id"] if row["decision"] == "link" else []
            for column in needed:
                if not (row[column] or "").strip():
                    raise UsageError(
                        "{name}, line {line_num}: {column} is empty.",
                        name=path.name,
                        line_num=reader.line_num,
                        column=column,
                    )
            rows.append({column: (row[column] or "").strip() for column in COLUMNS})
    return rows


def in_force(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """What holds now: the last decision per record that was not undone, and every pair kept apart before it.

    A decision that a record is not A remains when a later one says that it is not B either; it ends where it is
    undone, or where a later decision makes the record A after all.
    """
    ordered = sorted(rows, key=lambda row: row["decided_at"])
    stacks: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in ordered:
        stack = stacks.setdefault((row["source_id"], row["source_key"]), [])
        if row["decision"] == "undo":
            if stack:
                stack.pop()
        else:
            stack.append(row)
    kept = []
    for stack in stacks.values():
        settled: set[str] = set()
        for place, row in enumerate(reversed(stack)):
            is_pair_apart = row["decision"] == "separate" and row["person_id"]
            if place == 0 or (is_pair_apart and row["person_id"] not in settled):
                kept.append(row)
            if row["person_id"]:
                settled.add(row["person_id"])
    return kept


def _normalised(row: dict[str, str]) -> dict[str, str]:
    """A row with numbers as the warehouse has them: spreadsheets drop leading zeros, input may be full-width."""
    row = {name: unicodedata.normalize("NFKC", value or "").strip() for name, value in row.items()}
    if row["source_id"] == REGISTER and row["source_key"].isdigit():
        row["source_key"] = row["source_key"].zfill(ATENA_WIDTH)
    if row["person_id"].isdigit():
        row["person_id"] = row["person_id"].zfill(ATENA_WIDTH)
    return row


def reviews_in_force(session: duckdb.DuckDBPyConnection, home: Home | None = None) -> pa.Table:
    """Decisions in force from the CSV and the table of the entry form, one row per record and person named."""
    rows = read_decisions(decisions_file(home or Home.from_environment()))
    schema, table = ENTRY_TABLE.split(".")
    exists = session.execute(
        "select count(*) from information_schema.tables where table_schema = ? and table_name = ?",
        [schema, table],
    ).fetchall()[0][0]
    if exists:
        entered = session.execute(
            "select strftime(decided_at::timestamp, '%Y-%m-%dT%H:%M:%S'), decided_by, source_id, source_key, "
            "decision, coalesce(person_id, ''), reason from raw.link_reviews"
        ).fetchall()
        rows += [dict(zip(COLUMNS, row, strict=True)) for row in entered]
    kept = in_force([_normalised(row) for row in rows])
    return pa.table(
        {
            "source_id": pa.array([row["source_id"] for row in kept], pa.string()),
            "source_key": pa.array([row["source_key"] for row in kept], pa.string()),
            "decision": pa.array([row["decision"] for row in kept], pa.string()),
            "person_id": pa.array([row["person_id"] or None for row in kept], pa.string()),
            "decided_by": pa.array([row["decided_by"] for row in kept], pa.string()),
            "decided_on": pa.array([dt.datetime.fromisoformat(row["decided_at"]).date() for row in kept], pa.date32()),
            "reason": pa.array([row["reason"] for row in kept], pa.string()),
        }
    )
