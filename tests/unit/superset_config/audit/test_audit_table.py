"""The audit table over Superset's log: every line once, whenever it was written."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from kodomo.entries.store import EntryStore
from kodomo.home import Home
from superset_config.audit.table import NAME, UNSETTLED, AuditTable
from superset_config.server import metadata_uri
from tests.unit.publication.published import publish_people

NOW = dt.datetime.now(dt.UTC).replace(tzinfo=None)
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


def test_a_list_names_everyone_in_it(home: Home) -> None:
    people = [f"{number:015d}" for number in range(30)]
    group = {"group": "g", "people": people}
    lines = [("people_group", group), ("answer", {"group": "g", "count": 30}), ("answer", {"people": people[:2]})]
    with sa.create_engine(metadata_uri(home)).begin() as metadata:
        for number, (action, kept) in enumerate(lines, start=1):
            metadata.execute(
                sa.text("insert into logs values (:number, :action, 1, :kept, :happened, null, null)"),
                {"number": number, "action": action, "kept": json.dumps(kept), "happened": NOW.isoformat(sep=" ")},
            )
    table = AuditTable(home, is_dv_authorised=True)
    query = f"select people, person_numbers, person_number from {NAME} order by people"
    for _ in range(2):
        assert table.cursor().execute(query).fetchall() == [
            (2, "、".join(people[:2]), None), (30, "、".join(people), None),
        ]  # fmt: skip


def test_who_may_not_know_places_reads_no_number_of_a_protected_household(home: Home) -> None:
    publish_people(home, [("mother", "refuge", True), ("grandmother", "refuge", False), ("other", "home", False)])
    store = EntryStore(home)
    for person in ("mother", "grandmother", "other"):
        store.note_access("child_mano", "disclosure_document", purpose=f"purpose of {person}", person_id=person)
    store.note_access("child_mano", "meeting_print", shown=["mother", "other"])
    query = f"select person_number, purpose, person_numbers, people from {NAME} order by happened_at"
    shown = AuditTable(home, is_dv_authorised=False).cursor().execute(query).fetchall()
    assert shown == [
        (None, None, "", 1), (None, None, "", 1), ("other", "purpose of other", "other", 1), (None, None, "other", 2),
    ]  # fmt: skip
    authorised = AuditTable(home, is_dv_authorised=True).cursor().execute(query).fetchall()
    assert [row[0] for row in authorised] == ["mother", "grandmother", "other", None]


def test_a_line_that_is_written_after_a_later_number_is_not_missed(home: Home) -> None:
    table = AuditTable(home, is_dv_authorised=True)
    write(home, 2, dt.timedelta(seconds=1))
    assert shown(table) == ["2"]
    write(home, 1, dt.timedelta(seconds=2))
    assert shown(table) == ["1", "2"]
    assert shown(table) == ["1", "2"]


def test_settled_lines_appear_once_beside_younger_ones(home: Home) -> None:
    table = AuditTable(home, is_dv_authorised=True)
    write(home, 1, 3 * UNSETTLED)
    write(home, 2, 2 * UNSETTLED)
    assert shown(table) == ["1", "2"]
    write(home, 3, UNSETTLED / 2)
    assert shown(table) == ["1", "2", "3"]
    assert shown(table) == ["1", "2", "3"]


def test_what_stewards_do_with_files_is_named(home: Home) -> None:
    store = EntryStore(home)
    store.note_access("steward", "delivery_decision_sent", delivery="vaccinations", sha256="x")
    store.note_access("steward", "delivery_decision_rejects", delivery="20260401-vaccinations-01", rows=3)
    table = AuditTable(home, is_dv_authorised=False)
    rows = table.cursor().execute(f"select action_label, place_label, item_label from {NAME} order by all").fetchall()
    assert rows == [
        ("入力・決定", "納品", "ファイルを送る：vaccinations"),
        ("出力", "納品", "不受理の行：20260401-vaccinations-01"),
    ]
