"""Where Dagster keeps the events of runs: its own SQLite files, with connections that are kept instead of made anew.

A run has some two thousand events. Making an engine for each, compiling its statements again, and flushing the file at
the end of each connection costs as much as the models themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import StaticPool

from kodomo.home import Home


class KeptConnectionsEventLogStorage(SqliteEventLogStorage):
    """Dagster's storage of one SQLite file per run and one index, with one connection kept for each file."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> KeptConnectionsEventLogStorage:
        """As Dagster makes a storage from dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            self._engines[shard] = create_engine(
                self.conn_string_for_shard(shard),
                # The lock of the storage lets one thread in at a time.
                poolclass=StaticPool,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            # With a write-ahead log this loses the last events at a power cut, never the file.
            event.listen(self._engines[shard], "connect", lambda raw, _: raw.execute("pragma synchronous = normal"))
        return self._engines[shard]


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
