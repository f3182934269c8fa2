"""Dagster's event storage: its own SQLite files, with connections that are reused instead of opened anew.

A run has some two thousand events. Dagster's storage makes an engine for each, compiles its statements again and
flushes the file: 14 ms of the processor for an event instead of 4 (https://github.com/dagster-io/dagster/issues/19618).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Its place is that of Dagster's reference of internals and of its dagster.yaml.
from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import StaticPool

from kodomo.home import Home

INDEX = "index"
"""Name of the file that Dagster keeps beside those of the runs."""
BUSY_SECONDS = 60
"""How long a writer waits for another process."""


class KeptConnectionsEventLogStorage(SqliteEventLogStorage):
    """Dagster's storage of one SQLite file per run and one index, with one connection kept for each file."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._kept: dict[str, Engine] = {}
        # A file has one connection, and one thread at a time uses it.
        self._one_at_a_time = threading.RLock()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> KeptConnectionsEventLogStorage:
        """As Dagster makes a storage from dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def run_connection(self, run_id: str | None = None) -> Iterator[Connection]:
        """A connection to the events of a run, in a transaction."""
        with self._one_at_a_time:
            if run_id not in self._kept:
                # Dagster makes the file and its tables.
                with super().run_connection(run_id):
                    self._kept[run_id] = self._open(run_id)
            with self._kept[run_id].connect() as connection, connection.begin():
                yield connection

    @contextmanager
    def index_connection(self) -> Iterator[Connection]:
        """A connection to the events of all runs that concern assets, in a transaction."""
        with self._one_at_a_time:
            if INDEX not in self._kept:
                with super().index_connection():
                    self._kept[INDEX] = self._open(INDEX)
            with self._kept[INDEX].connect() as connection, connection.begin():
                yield connection

    def wipe(self) -> None:
        """Delete the events of all runs, and the files that the connections lead to."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Close the connections with the storage."""
        self._close()
        super().dispose()

    def _close(self) -> None:
        with self._one_at_a_time:
            for engine in self._kept.values():
                engine.dispose()
            self._kept.clear()

    def _open(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        )
        # With a write-ahead log this loses the last events at a power cut, never the file.
        event.listen(engine, "connect", lambda raw, _: raw.execute("pragma synchronous = normal"))
        return engine


def write_settings(home: Home) -> Path:
    """Dagster's settings of a home (dagster.yaml): no telemetry, and where events go. Returns Dagster's folder."""
    home.dagster.mkdir(parents=True, exist_ok=True, mode=0o700)
    (home.dagster / "dagster.yaml").write_text(
        "telemetry:\n  enabled: false\n"
        f"event_log_storage:\n  module: {__name__}\n  class: {KeptConnectionsEventLogStorage.__name__}\n"
        f"  config:\n    base_dir: {home.dagster / 'history' / 'runs'}\n",
        encoding="utf-8",
    )
    return home.dagster
