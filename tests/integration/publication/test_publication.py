"""Publications: what files hold, how they come into service, and that nothing half-made ever does."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from kodomo.access.access import export_scope, read_access
from kodomo.access.scope import Scope
from kodomo.access.staff import COLUMNS, DEMO_STAFF, read_staff
from kodomo.entries.store import EntryStore
from kodomo.errors import KodomoError, PublicationHeldError, UsageError
from kodomo.home import PROJECT, Home
from kodomo.publication import (
    current,
    exported_file,
    list_publications,
    publish,
    refresh,
    rollback,
    rounding,
    scope_file,
)
from kodomo.publication import publication as publisher
from tests.security.scratch import CHILDREN, PLACE, leaks, read_seen, write_warehouse


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scratch warehouse."""
    path = tmp_path_factory.mktemp("scratch") / "warehouse.duckdb"
    write_warehouse(path)
    return path


FEW = {"child_all", "child_all_nodv", "child_ryotsu", "child_ryotsu_dv", "analyst_all", "partner"}
"""Accounts of the demo whose scopes the tests read: each scope is a file that every publication writes."""


@pytest.fixture
def home(tmp_path: Path, warehouse: Path) -> Home:
    """A home with a built warehouse and some of the demo's staff, nothing published."""
    home = Home(tmp_path / "var").ensure()
    shutil.copy(warehouse, home.warehouse)
    lines = DEMO_STAFF.read_text(encoding="utf-8").splitlines()[1:]
    write_staff(home, *(line for line in lines if line.split(",")[0] in FEW))
    return home


def write_staff(home: Home, *lines: str) -> None:
    """Replace the staff list."""
    home.staff.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n", encoding="utf-8")


def everything_in(file: Path) -> str:
    """Every value of every table of a file."""
    texts = []
    with duckdb.connect(str(file), read_only=True) as connection:
        for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall():
            cursor = connection.execute(f'select * from "{name}"')
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                # The bare id of a row tells whose it is; a name before it tells the column.
                texts.append(" ".join(str(value) for value in row))
            texts.append(" ".join(names))
    return "\n".join(texts)


def test_a_file_holds_all_of_its_scope_and_nothing_else(home: Home) -> None:
    shutil.copy(DEMO_STAFF, home.staff)
    publish(home, "r1")
    seen = read_seen(home.staff)
    for member in read_staff(home.staff, read_access()):
        file = scope_file(home, member.scope)
        text = everything_in(file)
        person = seen[member.username]
        assert not leaks(text, person), member.username
        missing = {name for name in person.children() if name not in text} if person.names_children() else set()
        assert not missing, member.username
        assert {f"H:{holder}" for holder in person.holders()} <= {word.split(":", 1)[-1] for word in text.split()} | {
            part for word in text.split() for part in [word[word.find("H:") :]]
        }


def test_a_protected_family_has_no_place_for_the_unauthorised(home: Home) -> None:
    publish(home, "r1")
    file = scope_file(home, Scope.of(["child"], ["*"], ["case_worker"]))
    protected = [child.name for child in CHILDREN if child.is_protected]
    with duckdb.connect(str(file), read_only=True) as connection:
        for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
            columns = {row[0] for row in connection.execute(f"describe {table}").fetchall()}
            if "person_id" not in columns:
                continue
            for column in columns & PLACE:
                shown = f"select count(*) from {table} where person_id in (select unnest(?)) and {column} is not null"
                assert connection.execute(shown, [protected]).fetchone() == (0,), (table, column)
            counts = connection.execute(
                f"select count(distinct person_id) from {table} where person_id in (select unnest(?))", [protected]
            ).fetchone()
            assert counts == (len(protected),), table


def test_an_area_limited_file_does_not_hold_protected_families(home: Home) -> None:
    publish(home, "r1")
    limited = everything_in(scope_file(home, Scope.of(["child"], ["ryotsu"], ["case_worker"])))
    authorised = everything_in(scope_file(home, Scope.of(["child"], ["ryotsu"], ["case_worker"], True)))
    for child in CHILDREN:
        if child.is_protected and child.area == "ryotsu":
            assert child.name not in limited
            assert f"area_name:{child.name}" in authorised


def test_pseudonyms_are_the_same_in_every_table_and_are_no_ids(home: Home) -> None:
    publish(home, "r1")
    with duckdb.connect(str(scope_file(home, Scope.of(["child"], ["*"], ["analyst"]))), read_only=True) as connection:
        first = set(connection.execute("select person_id from bi_child__analyst").fetchall())
        second = set(connection.execute("select person_id from bi_child_tier__analyst").fetchall())
    assert first == second
    assert len(first) == len(CHILDREN)
    assert not {name for (name,) in first} & {child.name for child in CHILDREN}


def test_a_scope_without_a_file_gets_the_empty_one(home: Home) -> None:
    publish(home, "r1")
    for scope in (Scope.of([], ["*"], ["case_worker"]), Scope.of(["child", "health"], ["mano"], ["case_worker"])):
        with duckdb.connect(str(scope_file(home, scope)), read_only=True) as connection:
            assert connection.execute("select count(*) from duckdb_tables()").fetchone() == (0,)


def test_files_are_read_only_and_the_link_is_relative(home: Home) -> None:
    folder = publish(home, "r1")
    assert current(home) == folder
    assert os.readlink(home.published / "current") == "r1"
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) in {0o440, 0o400}
        assert not stat.S_IMODE(file.stat().st_mode) & 0o007


def test_a_reader_finishes_on_the_old_one_and_a_new_one_sees_the_new(home: Home) -> None:
    scope = Scope.of(["child"], ["*"], ["case_worker"], True)
    publish(home, "r1")
    reader = duckdb.connect(str(scope_file(home, export_scope(read_access()))), read_only=True)
    before = reader.execute("select count(*) from bi_child").fetchone()
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("delete from marts.bi_child where person_id <> 'P001'")
    for number in range(2, 6):
        publish(home, f"r{number}")
    assert reader.execute("select count(*) from bi_child").fetchone() == before
    reader.close()
    with duckdb.connect(str(scope_file(home, export_scope(read_access()))), read_only=True) as connection:
        assert connection.execute("select count(*) from bi_child").fetchone() == (1,)
    assert scope_file(home, scope).name.startswith("none")


def test_the_last_three_are_kept(home: Home) -> None:
    for number in range(1, 6):
        publish(home, f"r{number}")
    assert [publication.name for publication in list_publications(home)] == ["r3", "r4", "r5"]
    assert [publication.is_current for publication in list_publications(home)] == [False, False, True]


def test_rollback_goes_back_by_one_or_to_a_named_one(home: Home) -> None:
    for number in range(1, 4):
        publish(home, f"r{number}")
    assert rollback(home).name == "r2"
    assert rollback(home).name == "r1"
    with pytest.raises(UsageError, match="no earlier"):
        rollback(home)
    assert rollback(home, "r3").name == "r3"
    with pytest.raises(UsageError, match="no publication"):
        rollback(home, "r9")


def at(monkeypatch: pytest.MonkeyPatch, day: str) -> None:
    """Set the clock of the publisher."""
    now = dt.datetime.fromisoformat(f"{day}T12:00:00+00:00")
    clock = SimpleNamespace(now=lambda _zone: now, fromisoformat=dt.datetime.fromisoformat)
    monkeypatch.setattr(publisher, "dt", SimpleNamespace(datetime=clock, UTC=dt.UTC))


@pytest.mark.parametrize(
    "days",
    [
        ("2026-04-01", "2026-04-02", "2026-04-03", "2026-04-04"),
        # forward by a mistake and back, back by ten years, standing still
        ("2026-04-01", "2036-04-02", "2026-04-03", "2026-04-04"),
        ("2026-04-01", "2016-04-02", "2016-04-03", "2026-04-04"),
        ("2026-04-01", "2026-04-01", "2026-04-01", "2026-04-01"),
    ],
)
def test_publications_have_an_order_whatever_the_clock_says(
    home: Home, monkeypatch: pytest.MonkeyPatch, days: tuple[str, ...]
) -> None:
    write_staff(home, "aoi,x,child,mano,case_worker,0")
    # Names sort in the order of time in real runs; here against it.
    for number, day in enumerate(days):
        at(monkeypatch, day)
        publish(home, f"r{9 - number}")
    assert [publication.name for publication in list_publications(home)] == ["r8", "r7", "r6"]
    assert [publication.number for publication in list_publications(home)] == [2, 3, 4]
    assert rollback(home).name == "r7"
    assert rollback(home).name == "r8"
    at(monkeypatch, "2000-01-01")
    assert publish(home, "r5") == current(home)
    assert list_publications(home)[-1].folder == current(home)


def test_clock_set_back_shows_no_person_protected_since(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    write_staff(home, "aoi,x,child,mano,case_worker,0")
    child = next(child.name for child in CHILDREN if not child.is_protected)
    at(monkeypatch, "2026-04-02")
    publish(home, "r1")
    protect(home, child)
    at(monkeypatch, "2026-04-01")
    publish(home, "r2")
    with pytest.raises(KodomoError, match="1 people are protected now"):
        rollback(home, "r1")


def test_publications_made_before_they_were_counted_come_first(home: Home) -> None:
    write_staff(home, "aoi,x,child,mano,case_worker,0")
    for number in range(1, 4):
        publish(home, f"r{number}")
    for name in ("r1", "r2"):
        file = home.published / name / "publication.json"
        manifest = json.loads(file.read_text(encoding="utf-8"))
        del manifest["number"]
        file.chmod(0o600)
        file.write_text(json.dumps(manifest), encoding="utf-8")
    assert [publication.name for publication in list_publications(home)] == ["r1", "r2", "r3"]


def protect(home: Home, person_id: str, *, is_protected: bool = True) -> None:
    """Change in the marts whether a person is protected."""
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(
            "update marts.bi_child set is_dv_protected = ? where person_id = ?", [is_protected, person_id]
        )


def test_rollback_to_before_a_protection_is_refused(home: Home) -> None:
    child = next(child.name for child in CHILDREN if not child.is_protected)
    publish(home, "r1")
    protect(home, child)
    publish(home, "r2")
    with pytest.raises(KodomoError, match="1 people are protected now") as refused:
        rollback(home)
    assert child not in str(refused.value)
    assert current(home).name == "r2"
    # Whose measure has ended since is shown by neither.
    protect(home, child, is_protected=False)
    publish(home, "r3")
    assert rollback(home).name == "r2"


def test_rollback_to_before_a_measure_heard_by_telephone_is_refused(home: Home) -> None:
    child = next(child.name for child in CHILDREN if not child.is_protected)
    publish(home, "r1")
    publish(home, "r2")
    EntryStore(home).create(
        "support_measure", {"told_on": "2026-03-30", "measure_from": "2026-03-30", "about_child_id": child},
        by="child_all", department="child", person_id=child,
    )  # fmt: skip
    with pytest.raises(KodomoError, match="1 people are protected now"):
        rollback(home)


def test_publication_in_service_survives_later_ones_after_a_rollback(home: Home) -> None:
    for number in range(1, 4):
        publish(home, f"r{number}")
    rollback(home, "r1")
    publish(home, "r4")
    assert current(home).name == "r4"
    assert len(list_publications(home)) == 3


def test_rollback_restores_no_earlier_scope(home: Home) -> None:
    write_staff(home, "aoi,x,child,*,case_worker,1")
    publish(home, "r1")
    publish(home, "r2")
    write_staff(home, "aoi,x,child,mano,case_worker,0")
    rollback(home)
    names = {file.stem for file in current(home).glob("*.duckdb")}
    assert "child.mano.case_worker" in names
    assert "child.all.case_worker.dv" not in names


def test_a_change_of_duty_needs_no_new_run(home: Home) -> None:
    write_staff(home, "aoi,x,child,*,case_worker,0")
    publish(home, "r1")
    assert refresh(home) == []
    write_staff(home, "aoi,x,health,mano,case_worker,0")
    assert len(refresh(home)) == 2
    assert "P" in everything_in(scope_file(home, Scope.of(["health"], ["mano"], ["case_worker"])))
    assert scope_file(home, Scope.of(["child"], ["*"], ["case_worker"])).stem == "none"


def test_a_bi_table_without_a_rule_publishes_nothing(home: Home) -> None:
    publish(home, "r1")
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create table marts.bi_secret as select 1 as x")
    with pytest.raises(KodomoError, match=r"bi_secret: access\.yml has no rule"):
        publish(home, "r2")
    assert current(home).name == "r1"
    assert [path.name for path in home.published.iterdir() if path.is_dir() and not path.is_symlink()] == ["r1"]


def test_a_table_that_lacks_what_its_rule_stands_on_publishes_nothing(home: Home) -> None:
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("alter table marts.bi_child drop column is_dv_protected")
    with pytest.raises(KodomoError, match="bi_child: the column is_dv_protected is missing"):
        publish(home, "r1")
    assert current(home) is None


def test_a_staff_list_that_is_not_understood_publishes_nothing(home: Home) -> None:
    publish(home, "r1")
    write_staff(home, "aoi,x,child,everywhere,case_worker,0")
    with pytest.raises(KodomoError, match="line 2"):
        publish(home, "r2")
    assert current(home).name == "r1"


def test_without_a_staff_list_auditors_still_have_the_marts(home: Home) -> None:
    home.staff.unlink()
    folder = publish(home, "r1")
    assert (folder / "none.duckdb").exists()
    with duckdb.connect(str(exported_file(home)), read_only=True) as connection:
        assert connection.execute("select count(*) from marts.bi_child").fetchone() == (len(CHILDREN),)


def test_unknown_protection_counts_as_protected(home: Home) -> None:
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("update marts.bi_child set is_dv_protected = null where person_id = 'P001'")
    publish(home, "r1")
    with duckdb.connect(str(scope_file(home, Scope.of(["child"], ["*"], ["case_worker"]))), read_only=True) as file:
        assert file.execute("select area_code from bi_child where person_id = 'P001'").fetchall() == [(None,)]


KILLED = """
import sys
from pathlib import Path
from kodomo.home import Home
from kodomo.publication import publish
print("ready", flush=True)
publish(Home(Path(sys.argv[1])), "killed")
"""


@pytest.mark.parametrize("milliseconds", [20, 150, 300, 450, 600, 900])
def test_a_killed_publication_leaves_what_is_in_service(home: Home, milliseconds: int) -> None:
    publish(home, "r1")
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(home.root)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    time.sleep(milliseconds / 1000)
    process.send_signal(signal.SIGKILL)
    process.wait()
    folder = current(home)
    assert folder.name in {"r1", "killed"}
    scopes = {f"{member.scope.key}.duckdb" for member in read_staff(home.staff, read_access())}
    assert scopes <= {file.name for file in folder.iterdir()}
    for name in scopes:
        with duckdb.connect(str(folder / name), read_only=True) as connection:
            connection.execute("select count(*) from duckdb_tables()").fetchone()
    assert publish(home, "r2").name == "r2"
    assert not list(home.published.glob(".unfinished*"))


def partner_rows(home: Home) -> list[tuple[int | None, int | None]]:
    """Children and unknown children in each row of the partner's file."""
    file = scope_file(home, Scope.of(["community_partner"], ["*"], ["executive"]))
    with duckdb.connect(str(file), read_only=True) as connection:
        tables = {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}
        assert tables == {"bi_area_summary__partner"}
        return connection.execute("select children, unknown_children from bi_area_summary__partner").fetchall()


def count_areas(home: Home, children: int) -> None:
    """A city of one difficulty type with so many children in one area, in the warehouse."""
    cells = [(area, tier) for area in ("ryotsu", "total") for tier in ("high", "low", "total")]
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("delete from marts.bi_area_summary")
        connection.execute("delete from marts.fct_area_count")
        for area, tier in cells:
            connection.execute(
                "insert into marts.bi_area_summary by name select 'overall' as difficulty_type, ? as area_code, "
                "? as tier, 0 as children",
                [area, tier],
            )
        connection.execute(
            "insert into marts.fct_area_count values ('overall', 'ryotsu', 'high', 3, 3, 2), "
            "('overall', 'ryotsu', 'low', 1, ?, 0)",
            [children],
        )


def test_partner_has_rounded_counts_alone(home: Home) -> None:
    count_areas(home, 41)
    publish(home, "r1")
    rows = partner_rows(home)
    assert len(rows) == 6
    assert all(children % 5 == 0 and (unknown or 0) % 5 == 0 for children, unknown in rows)
    assert sorted(unknown is None for _, unknown in rows) == [False, False, True, True, True, True]
    shown = {children for children, _ in rows}
    assert shown <= {0, 5, 40, 45, 50}
    publish(home, "r2")
    assert partner_rows(home) == rows


def test_counts_that_would_be_given_away_hold_the_publication(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    count_areas(home, 41)
    first = publish(home, "r1")
    # Each count rounded by itself: 50, 0 and both together 40 leave one possibility for each.
    numbers = {"low": 50, "high": 0, "total": 40}
    monkeypatch.setattr(
        rounding, "_nearby", lambda counts, *_: {c: 0 if c[0] == "unknown" else numbers[c[2]] for c in counts}
    )
    with pytest.raises(PublicationHeldError) as held:
        publish(home, "r2")
    assert "bi_area_summary__partner" in str(held.value)
    assert "41" not in str(held.value)
    assert current(home) == first
