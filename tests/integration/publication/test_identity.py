"""A publication says which run and date it is from its rows, and is not put in service where the two disagree."""

from __future__ import annotations

import datetime as dt
import json
import random
import threading
import time
from pathlib import Path

import duckdb
import pytest

from kodomo.errors import KodomoError, RunInProgressError
from kodomo.home import Home
from kodomo.publication import check_in_service, current, list_publications, publish, rollback
from kodomo.publication.publication import EVERYTHING, MANIFEST
from kodomo.run_lock import RunLock
from kodomo.warehouse import connect, write_run_parameters

RUNS = 50


def write_build(home: Home, run_id: str, as_of_on: dt.date, children_on: dt.date | None = None) -> None:
    """A build of one table of children, as a run with these parameters leaves it."""
    with connect(home) as connection:
        write_run_parameters(connection, run_id, as_of_on)
        connection.execute("create schema if not exists marts")
        connection.execute(
            "create or replace table marts.bi_child as select ?::date as as_of_on, 'c1' as person_id, "
            "'ryotsu' as area_code, '|child|' as departments, false as is_dv_protected",
            [children_on or as_of_on],
        )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "var").ensure()


def manifest_of(folder: Path) -> dict:
    return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))


def test_the_label_comes_from_the_rows(home: Home) -> None:
    write_build(home, "r1", dt.date(2026, 4, 1))
    manifest = manifest_of(publish(home, "r1"))
    assert (manifest["run_id"], manifest["as_of_on"], manifest["format"]) == ("r1", "2026-04-01", 1)
    check_in_service(home)


def test_rows_of_another_run_are_not_published(home: Home) -> None:
    write_build(home, "r2", dt.date(2025, 4, 1))
    with pytest.raises(KodomoError, match="rows of another run"):
        publish(home, "r1")
    assert list_publications(home) == []


def test_children_of_another_date_are_not_published(home: Home) -> None:
    write_build(home, "r1", dt.date(2026, 4, 1), children_on=dt.date(2025, 4, 1))
    with pytest.raises(KodomoError, match=r"as of 2025-04-01, the run as of 2026-04-01"):
        publish(home, "r1")
    assert current(home) is None


@pytest.mark.parametrize(
    ("name", "value"), [("as_of_on", "2027-04-01"), ("run_id", "other"), ("definition", "abc"), ("format", 0)]
)
def test_a_label_that_disagrees_is_refused_at_rollback_and_at_start(home: Home, name: str, value: object) -> None:
    write_build(home, "r1", dt.date(2026, 4, 1))
    first = publish(home, "r1")
    write_build(home, "r2", dt.date(2026, 5, 1))
    publish(home, "r2")
    (first / MANIFEST).chmod(0o600)
    (first / MANIFEST).write_text(json.dumps({**manifest_of(first), name: value}), encoding="utf-8")
    with pytest.raises(KodomoError, match=name):
        rollback(home, first.name)
    assert current(home).name == "r2"
    (home.published / "current").unlink()
    (home.published / "current").symlink_to(first.name)
    with pytest.raises(KodomoError, match=name):
        check_in_service(home)


def test_a_publication_from_before_labels_is_read_after_it(home: Home) -> None:
    write_build(home, "r1", dt.date(2026, 4, 1))
    folder = publish(home, "r1")
    old = {name: value for name, value in manifest_of(folder).items() if name in {"published_at", "access", "scopes"}}
    (folder / MANIFEST).chmod(0o600)
    (folder / MANIFEST).write_text(json.dumps({**old, "run_id": "r1"}), encoding="utf-8")
    check_in_service(home)


def test_a_rollback_waits_for_no_run_and_says_so(home: Home) -> None:
    for number in (1, 2):
        write_build(home, f"r{number}", dt.date(2026, number, 1))
        publish(home, f"r{number}")
    lock = RunLock(home, "nightly")
    lock.acquire()
    with pytest.raises(RunInProgressError, match="nightly"):
        rollback(home)
    lock.release()
    assert rollback(home).name == "r1"


def test_fifty_runs_at_random_moments_publish_their_own_dates(home: Home) -> None:
    """Two runs beside each other, each with real files: one is refused, or comes after the other."""
    dice = random.Random(1)
    outcomes = []

    def run(number: int, delay: float) -> None:
        run_id, as_of_on = f"r{number:02}", dt.date(2020, 1, 1) + dt.timedelta(days=number)
        lock = RunLock(home, run_id)
        time.sleep(delay)
        try:
            with lock.used():
                write_build(home, run_id, as_of_on)
                time.sleep(delay)
                publish(home, run_id)
        except RunInProgressError:
            outcomes.append((run_id, "refused"))
        else:
            outcomes.append((run_id, as_of_on.isoformat()))
        finally:
            lock.release()

    for pair in range(0, RUNS, 2):
        threads = [threading.Thread(target=run, args=(pair + i, dice.random() / 20)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        folder = current(home)
        manifest = manifest_of(folder)
        with duckdb.connect(str(folder / EVERYTHING), read_only=True) as connection:
            (date,) = connection.execute("select distinct as_of_on from marts.bi_child").fetchone()
        assert (manifest["run_id"], manifest["as_of_on"]) == (folder.name, date.isoformat())
        assert (folder.name, date.isoformat()) in outcomes
    assert len(outcomes) == RUNS
    assert sum(outcome == "refused" for _, outcome in outcomes) < RUNS / 2 + 1
