"""Lines of an audit log chained by keyed digests: a line that was changed, taken out, moved or cut off is found.

A chain is a table beside its log, in the same database, with a row for each line: its number, the digest of the row
before, and the digest of both and of the line (HMAC-SHA256 with the home's key). Both are written in one transaction.
Lines from before the chain are counted in its first row. Heads that are kept elsewhere (anchors) show a cut-off end.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kodomo.clock import now_utc
from kodomo.home import Home
from kodomo.keys import read_or_make_key

links = sa.Table(
    "audit_chain",
    sa.MetaData(),
    sa.Column("chain", sa.String(16), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("line", sa.String(128), nullable=False),
    sa.Column("erasable", sa.String(64)),
    sa.Column("before", sa.String(64), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
)
BEGINNING = "beginning"
"""Begins the line of a chain's first row, which holds the moment (UTC) and the count of the lines before it."""
LOCK = 7_206_801
"""PostgreSQL's advisory lock of writers to a chain; in SQLite there is one writer anyway."""
ANCHOR_COLUMNS = ["anchored_at", "occasion", "chain", "number", "digest"]
CHANGED, MISSING, MOVED, CUT_OFF, UNCHAINED = "changed", "missing", "moved", "cut off", "unchained"


@dataclass(frozen=True)
class Line:
    """A line of a log. ``erasable``: what a deletion for good may empty; None once it is, or where nothing may be."""

    key: str
    at: str
    """When it was written, UTC, as ISO 8601."""
    fixed: tuple[Any, ...]
    erasable: tuple[Any, ...] | None = None
    is_erased: bool = False


@dataclass(frozen=True)
class Head:
    """The last row of a chain."""

    chain: str
    number: int
    digest: str


@dataclass(frozen=True)
class Anchor(Head):
    """A head as it was on an occasion: a publication, a backup."""

    occasion: str = ""


@dataclass(frozen=True)
class Finding:
    """The first line of a chain that is not as it was written; ``kind`` is one of the words above."""

    chain: str
    kind: str
    number: int | None
    line: str


@dataclass(frozen=True)
class Verdict:
    """A chain that was gone through. ``before``: lines from before the chain; ``finding``: None where all is well."""

    chain: str
    lines: int
    before: int
    finding: Finding | None


class Chain:
    """The chain of one log."""

    def __init__(self, name: str, home: Home) -> None:
        self.name, self._key_file = name, home.audit_key
        self._is_there: set[str] = set()

    def append(self, connection: sa.engine.Connection, line: Line, lines: Callable[[], int]) -> None:
        """Chain a line within the transaction that wrote it. ``lines`` counts the log, this one with it.

        The line is written before: in SQLite that holds other writers off until both are kept.
        """
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        head = self.head(connection) if self._has_table(connection) else None
        if head is None:
            links.create(connection, checkfirst=True)
            head = self._write(connection, 0, "", Line(f"{BEGINNING}|{now_utc().isoformat()}|{lines() - 1}", "", ()))
        self._write(connection, head.number + 1, head.digest, line)

    def head(self, connection: sa.engine.Connection) -> Head | None:
        """The last row of the chain; None before its first line."""
        if not self._has_table(connection):
            return None
        query = (
            sa.select(links.c.number, links.c.digest)
            .where(links.c.chain == self.name)
            .order_by(links.c.number.desc())
            .limit(1)
        )
        row = connection.execute(query).first()
        return Head(self.name, row.number, row.digest) if row else None

    def verify(
        self, connection: sa.engine.Connection, lines: Iterable[Line], anchors: Iterable[Anchor] = ()
    ) -> Verdict:
        """Go through the chain and its log from the beginning; what was found first is in the verdict."""
        by_key = {line.key: line for line in lines}
        if not self._has_table(connection):
            return Verdict(self.name, 0, len(by_key), self._cut_off({}, anchors))
        query = links.select().where(links.c.chain == self.name).order_by(links.c.number)
        rows = list(connection.execute(query).mappings())
        chained = {row["line"] for row in rows}
        others = [line for line in by_key.values() if line.key not in chained]
        finding = self._first_broken(rows, by_key) or self._cut_off(
            {row["number"]: row["digest"] for row in rows}, anchors
        )
        if finding is None and rows:
            finding = self._wrong_before(rows[0]["line"], others)
        return Verdict(self.name, max(0, len(rows) - 1), len(others), finding)

    def _first_broken(self, rows: list[Mapping[str, Any]], by_key: Mapping[str, Line]) -> Finding | None:
        before = ""
        for number, row in enumerate(rows):
            key = row["line"]
            line = Line(key, "", ()) if number == 0 else by_key.get(key)
            if row["number"] != number:
                return Finding(self.name, MISSING, number, "")
            if row["before"] != before:
                return Finding(self.name, MOVED, number, key)
            if line is None:
                return Finding(self.name, MISSING, number, key)
            is_same = line.is_erased or row["erasable"] == self._erasable(line)
            digest = self._digest(number, before, key, row["erasable"], line.fixed)
            if not is_same or not hmac.compare_digest(digest, row["digest"]):
                return Finding(self.name, CHANGED, number, key)
            before = row["digest"]
        return None

    def _cut_off(self, digests: Mapping[int, str], anchors: Iterable[Anchor]) -> Finding | None:
        for anchor in sorted((one for one in anchors if one.chain == self.name), key=lambda one: one.number):
            if digests.get(anchor.number) != anchor.digest:
                # Written anew after the cut, a line has the number of the old one.
                number = min(anchor.number, max(digests, default=-1) + 1)
                return Finding(self.name, CUT_OFF, number, anchor.occasion)
        return None

    def _wrong_before(self, beginning: str, others: list[Line]) -> Finding | None:
        _, began, count = beginning.split("|")
        late = sorted((line for line in others if line.at > began), key=lambda line: (line.at, line.key))
        if late:
            return Finding(self.name, UNCHAINED, None, late[0].key)
        return Finding(self.name, MISSING, 0, beginning) if len(others) != int(count) else None

    def _write(self, connection: sa.engine.Connection, number: int, before: str, line: Line) -> Head:
        erasable = self._erasable(line)
        digest = self._digest(number, before, line.key, erasable, line.fixed)
        values = {"number": number, "line": line.key, "erasable": erasable, "before": before, "digest": digest}
        connection.execute(links.insert().values(chain=self.name, **values))
        return Head(self.name, number, digest)

    def _erasable(self, line: Line) -> str | None:
        return None if line.erasable is None else self._hmac([line.key, *line.erasable])

    def _digest(self, number: int, before: str, key: str, erasable: str | None, fixed: Iterable[Any]) -> str:
        return self._hmac([self.name, number, before, key, erasable, *fixed])

    def _hmac(self, values: list[Any]) -> str:
        text = json.dumps(values, ensure_ascii=False, default=str)
        return hmac.new(_key(self._key_file), text.encode(), hashlib.sha256).hexdigest()

    def _has_table(self, connection: sa.engine.Connection) -> bool:
        # Looked for until it is there: a transaction that makes it may still be rolled back.
        address = str(connection.engine.url)
        if address not in self._is_there and sa.inspect(connection).has_table(links.name):
            self._is_there.add(address)
        return address in self._is_there


@lru_cache(maxsize=8)
def _key(path: Path) -> bytes:
    return read_or_make_key(path).encode()


def write_anchors(home: Home, occasion: str, heads: Iterable[Head]) -> None:
    """Add the heads of the chains to the home's list of anchors, one writer at a time."""
    now = now_utc().isoformat(timespec="seconds")
    rows = [[now, occasion, head.chain, head.number, head.digest] for head in heads]
    if not rows:
        return
    with os.fdopen(os.open(home.audit_anchors, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a", newline="") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows(rows if os.fstat(file.fileno()).st_size else [ANCHOR_COLUMNS, *rows])
        file.flush()
        os.fsync(file.fileno())


def read_anchors(file: Path) -> list[Anchor]:
    """The anchors in a list as ``write_anchors`` makes it; none where there is no file."""
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as lines:
        return [
            Anchor(row["chain"], int(row["number"]), row["digest"], f"{row['occasion']} {row['anchored_at']}")
            for row in csv.DictReader(lines)
        ]
