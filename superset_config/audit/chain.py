"""The chain of Superset's log: what is seen, exported and printed, and who logs in."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from kodomo.audit_chain import Anchor, Chain, Head, Line, Verdict
from kodomo.home import Home
from superset_config.server import metadata_uri

CHAIN = "superset"
_logs = sa.table(
    "logs",
    *(sa.column(name, sa.Integer) for name in ("id", "user_id", "dashboard_id", "slice_id", "duration_ms")),
    *(sa.column(name, sa.Text) for name in ("action", "json", "referrer")),
    sa.column("dttm", sa.DateTime),
)


def append(connection: sa.engine.Connection, line: Any) -> None:
    """Chain a line of the log (a row of Superset's model) in the transaction that wrote it."""
    values = {column.name: getattr(line, column.name) for column in _logs.columns}
    count = sa.select(sa.func.count()).select_from(_logs)
    _chain(Home.from_environment()).append(connection, _line(values), lambda: connection.execute(count).scalar_one())


def head(home: Home) -> Head | None:
    """The end of the chain; None before its first line, and where there is no log yet."""
    engine = _engine(home)
    if engine is None:
        return None
    with engine.connect() as connection:
        return Chain(CHAIN, home).head(connection)


def verify(home: Home, anchors: Iterable[Anchor] = ()) -> Verdict:
    """Whether the log is as it was written."""
    engine = _engine(home)
    if engine is None:
        return Verdict(CHAIN, 0, 0, None)
    with engine.connect() as connection:
        lines = [_line(row) for row in connection.execute(_logs.select()).mappings()]
        return Chain(CHAIN, home).verify(connection, lines, anchors)


@cache
def _chain(home: Home) -> Chain:
    return Chain(CHAIN, home)


def _line(row: Any) -> Line:
    return Line(str(row["id"]), row["dttm"].isoformat(), tuple(row[column.name] for column in _logs.columns))


def _engine(home: Home) -> sa.engine.Engine | None:
    address = metadata_uri(home)
    # To look into a file that is not there would make it.
    if address.startswith("sqlite") and not home.superset_metadata.exists():
        return None
    engine = sa.create_engine(address, poolclass=NullPool)
    return engine if sa.inspect(engine).has_table(_logs.name) else None
