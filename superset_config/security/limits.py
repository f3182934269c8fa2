"""How often somebody has tried to log in, counted once for all worker processes."""

from __future__ import annotations

import os
import sqlite3
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


class SharedStorage(MemoryStorage):
    """Counters of limits in a file that every process of this machine shares; limits per second in memory.

    The file outlives a restart: whoever was locked out stays so until the time is over.
    """

    STORAGE_SCHEME: ClassVar[list[str]] = ["kodomo"]

    @staticmethod
    def uri(path: Path) -> str:
        """What RATELIMIT_STORAGE_URI says for a file."""
        return f"kodomo://{quote(str(path))}"

    def __init__(self, uri: str, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
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
        """What may go wrong with the file."""
        return sqlite3.Error

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=LOCK_SECONDS)) as connection, connection:
            # A count that is lost with the power costs nobody anything.
            connection.execute("pragma synchronous = off")
            yield connection

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count one more attempt; the count begins anew once its time is over."""
        if key.endswith(BRIEF):
            return super().incr(key, expiry, amount)
        now = time.time()
        with self._open() as connection:
            connection.execute("delete from attempts where ends <= ?", [now])
            (number,) = connection.execute(
                "insert into attempts values (?, ?, ?) "
                "on conflict (key) do update set number = number + excluded.number returning number",
                [key, amount, now + expiry],
            ).fetchone()
        return number

    def get(self, key: str) -> int:
        """The attempts so far."""
        return super().get(key) if key.endswith(BRIEF) else (self._row(key) or (0, 0.0))[0]

    def get_expiry(self, key: str) -> float:
        """When the count ends, as a time of the clock."""
        return super().get_expiry(key) if key.endswith(BRIEF) else (self._row(key) or (0, time.time()))[1]

    def _row(self, key: str) -> tuple[int, float] | None:
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
        return (super().reset() or 0) + forgotten

    def clear(self, key: str) -> None:
        """Forget one count."""
        super().clear(key)
        with self._open() as connection:
            connection.execute("delete from attempts where key = ?", [key])
