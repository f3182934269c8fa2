"""Counters of log-in attempts, shared by all worker processes."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, unquote, urlsplit

from limits.storage import MemoryStorage

LOCK_SECONDS = 30
# A limit per second keeps one process from being flooded: it is that process's own, and costs no file.
BRIEF = "/second"
MOST_BRIEF = 1000
"""How many of these are kept before those that are over are looked for."""


class SharedStorage(MemoryStorage):
    """Counters of limits in a file that every process of this machine shares; limits per second in memory.

    The file outlives a restart: a user who was locked out stays so until the time is over.
    """

    STORAGE_SCHEME: ClassVar[list[str]] = ["kodomo"]

    @staticmethod
    def uri(path: Path) -> str:
        """What RATELIMIT_STORAGE_URI says for a file."""
        return f"kodomo://{quote(str(path))}"

    def __init__(self, uri: str, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._brief: dict[str, tuple[int, float]] = {}
        self._brief_lock = threading.Lock()
        self.path = Path(unquote(urlsplit(uri).path))
        if not self.path.exists():
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600))
        with self._open() as connection:
            connection.execute(
                "create table if not exists attempts "
                "(key text primary key, number integer not null, ends real not null)"
            )

    @property
    def base_exceptions(self) -> type[Exception]:
        """The errors that access to the file may raise."""
        return sqlite3.Error

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=LOCK_SECONDS)) as connection, connection:
            # Losing a count at a power failure is harmless.
            connection.execute("pragma synchronous = off")
            yield connection

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count one more attempt; the count begins anew once its time is over."""
        now = time.time()
        if key.endswith(BRIEF):
            return self._count_briefly(key, now, expiry, amount)
        with self._open() as connection:
            connection.execute("delete from attempts where ends <= ?", [now])
            (number,) = connection.execute(
                "insert into attempts values (?, ?, ?) "
                "on conflict (key) do update set number = number + excluded.number returning number",
                [key, amount, now + expiry],
            ).fetchone()
        return number

    def _count_briefly(self, key: str, now: float, expiry: float, amount: int) -> int:
        # The library starts a thread at each request to forget what is over; here it is forgotten when it is counted.
        with self._brief_lock:
            number, ends = self._brief.get(key, (0, 0.0))
            if ends <= now:
                if len(self._brief) > MOST_BRIEF:
                    self._brief = {name: kept for name, kept in self._brief.items() if kept[1] > now}
                number, ends = 0, now + expiry
            self._brief[key] = (number + amount, ends)
            return number + amount

    def get(self, key: str) -> int:
        """The attempts so far."""
        return (self._row(key) or (0, 0.0))[0]

    def get_expiry(self, key: str) -> float:
        """When the count ends, as a time of the clock."""
        return (self._row(key) or (0, time.time()))[1]

    def _row(self, key: str) -> tuple[int, float] | None:
        if key.endswith(BRIEF):
            counted = self._brief.get(key)
            return counted if counted and counted[1] > time.time() else None
        with self._open() as connection:
            return connection.execute(
                "select number, ends from attempts where key = ? and ends > ?", [key, time.time()]
            ).fetchone()

    def check(self) -> bool:
        """Whether the file can be read."""
        with self._open() as connection:
            connection.execute("select count(*) from attempts").fetchone()
        return True

    def reset(self) -> int | None:
        """Forget every count; returns how many there were."""
        with self._open() as connection:
            forgotten = connection.execute("delete from attempts").rowcount
        with self._brief_lock:
            brief, self._brief = len(self._brief), {}
        return brief + forgotten

    def clear(self, key: str) -> None:
        """Forget one count."""
        with self._brief_lock:
            self._brief.pop(key, None)
        with self._open() as connection:
            connection.execute("delete from attempts where key = ?", [key])
