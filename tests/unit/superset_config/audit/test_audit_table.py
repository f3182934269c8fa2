"""The audit table over Superset's log: every line once, whenever it was written."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa

from kodomo.home import Home
from superset_config.audit.table import NAME, UNSETTLED, AuditTable
from superset_config.server import metadata_uri

TABLES = (
    "logs (id integer, action text, user_id integer, json text, dttm text, dashboard_id integer, slice_id integer)",
    "dashboards (id integer, dashboard_title text)",
    "slices (id integer, slice_name text)",
    "tables (id integer, description text)",
    "ab_user (id integer, username text, first_name text)",
    "ab_role (id integer, name text)",
    "ab_user_role (user_id integer, role_id integer)",
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with Superset's log, and no lines in it."""
    home = Home(tmp_path / "var").ensure()
    Path(sa.engine.make_url(metadata_uri(home)).database).parent.mkdir(parents=True, exist_ok=True)
    with sa.create_engine(metadata_uri(home)).begin() as metadata:
        for table in TABLES:
            metadata.execute(sa.text(f"create table {table}"))
    return home


def write(home: Home, number: int, age: dt.timedelta) -> None:
    """A line of the log with that number, of a request so long ago."""
    happened = dt.datetime.now(dt.UTC).replace(tzinfo=None) - age
    with sa.create_engine(metadata_uri(home)).begin() as metadata:
        metadata.execute(
            sa.text("insert into logs values (:number, 'dashboard', 1, '{}', :happened, :number, null)"),
            {"number": number, "happened": happened.isoformat(sep=" ")},
        )
        metadata.execute(sa.text("insert into dashboards values (:number, :number)"), {"number": number})


def shown(table: AuditTable) -> list[str]:
    """The lines by their numbers."""
    rows = table.cursor().execute(f"select place_label from {NAME} order by all").fetchall()
    return [row[0] for row in rows]


def test_a_line_that_is_written_after_a_later_number_is_not_missed(home: Home) -> None:
    table = AuditTable(home)
    write(home, 2, dt.timedelta(seconds=1))
    assert shown(table) == ["2"]
    write(home, 1, dt.timedelta(seconds=2))
    assert shown(table) == ["1", "2"]
    assert shown(table) == ["1", "2"]


def test_settled_lines_appear_once_beside_younger_ones(home: Home) -> None:
    table = AuditTable(home)
    write(home, 1, 3 * UNSETTLED)
    write(home, 2, 2 * UNSETTLED)
    assert shown(table) == ["1", "2"]
    write(home, 3, UNSETTLED / 2)
    assert shown(table) == ["1", "2", "3"]
    assert shown(table) == ["1", "2", "3"]
