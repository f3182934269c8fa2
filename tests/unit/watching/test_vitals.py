"""The vital signs of a home: each limit, and what cannot be read."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from kodomo import disk
from kodomo.backups import note_backup
from kodomo.entries.outbox import put_digest
from kodomo.entries.store import EntryStore, outbox
from kodomo.errors import UsageError
from kodomo.home import Home
from kodomo.limits import Limits
from kodomo.run_lock import RunLock, run_state
from kodomo.watching.vitals import NOTE, OK, WRONG, Vital, in_words, read_vitals, worst
from tests.unit.watching.homes import put_in_service

NOW = dt.datetime(2026, 4, 10, 9, tzinfo=dt.UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "var").ensure()


def vital(home: Home, name: str, limits: Limits | None = None) -> Vital:
    return next(one for one in read_vitals(home, None, limits or Limits(), NOW) if one.name == name)


def code(one: Vital) -> str | None:
    return one.fault.code if one.fault else None


@pytest.mark.parametrize(("hours", "status", "fault"), [(71, OK, None), (73, WRONG, "batch_old")])
def test_a_publication_is_old_after_the_hours_of_the_limit(
    home: Home, hours: int, status: str, fault: str | None
) -> None:
    put_in_service(home, NOW - dt.timedelta(hours=hours))
    batch = vital(home, "batch")
    assert (batch.status, code(batch), batch.figures["age_seconds"]) == (status, fault, hours * 3600)
    assert vital(home, "batch", Limits(batch_hours=1)).status == WRONG


def test_without_a_publication_the_batch_is_wrong(home: Home) -> None:
    assert code(vital(home, "batch")) == "publication_missing"


@pytest.mark.parametrize(("free_gib", "fault"), [(100, None), (2.2, "disk_low"), (1.2, "disk_full"), (0, "disk_full")])
def test_the_disk_is_judged_by_what_the_next_run_needs(
    home: Home, monkeypatch: pytest.MonkeyPatch, free_gib: float, fault: str | None
) -> None:
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _path: SimpleNamespace(free=int(free_gib * 2**30)))
    assert code(vital(home, "disk")) == fault


def test_a_mail_that_waits_longer_than_a_day_is_wrong(home: Home) -> None:
    store = EntryStore(home)
    put_digest(store, "a", dt.date(2026, 4, 9), ["a@example.jp", "b@example.jp"], "s", "b", [])
    for hours, fault in ((23, None), (25, "mails_stuck")):
        with store.engine.begin() as connection:
            connection.execute(outbox.update().values(made_at=(NOW - dt.timedelta(hours=hours)).replace(tzinfo=None)))
        queue = vital(home, "queue")
        assert (code(queue), queue.figures["mails_waiting"]) == (fault, 2)
    with store.engine.begin() as connection:
        connection.execute(outbox.update().values(sent_at=NOW.replace(tzinfo=None)))
    assert vital(home, "queue").status == OK


def test_looking_makes_no_entries(home: Home) -> None:
    assert vital(home, "queue").status == OK
    assert not home.entries.exists()


@pytest.mark.parametrize(("days", "status", "fault"), [(7, NOTE, "backup_untried"), (9, WRONG, "backup_old")])
def test_a_backup_is_old_after_the_days_of_the_limit(
    home: Home, tmp_path: Path, days: int, status: str, fault: str
) -> None:
    (tmp_path / "backup.json").write_text("{}", encoding="utf-8")
    note_backup(home, tmp_path, (NOW - dt.timedelta(days=days)).isoformat())
    assert (vital(home, "backup").status, code(vital(home, "backup"))) == (status, fault)


def test_a_backup_whose_folder_is_gone_is_missing(home: Home, tmp_path: Path) -> None:
    note_backup(home, tmp_path / "gone", NOW.isoformat())
    assert code(vital(home, "backup")) == "backup_missing"


def test_the_lock_says_whether_a_run_holds_it_and_which_was_killed(home: Home) -> None:
    assert not run_state(home).is_held
    lock = RunLock(home, "nightly")
    lock.acquire()
    assert (run_state(home).is_held, run_state(home).run_id) == (True, "nightly")
    assert vital(home, "run").figures["is_running"] is True
    lock.release()
    assert run_state(home).run_id == ""
    home.run_lock.write_text(json.dumps({"run_id": "nightly", "pid": 1}), encoding="utf-8")
    assert code(vital(home, "run")) == "run_killed"


def test_what_cannot_be_read_is_wrong_and_hides_no_other_sign(home: Home) -> None:
    put_in_service(home, "yesterday")
    home.backups.write_text("[", encoding="utf-8")
    home.entries.write_bytes(b"no database " * 500)
    signs = {one.name: code(one) for one in read_vitals(home, None, Limits(), NOW)}
    assert signs["batch"] == signs["backup"] == "vital_unreadable"
    assert signs["queue"] == "entries_damaged"
    assert signs["run"] is None


def test_the_worst_sign_is_that_of_all() -> None:
    assert worst([Vital("a", OK), Vital("b", NOTE)]) == NOTE
    assert worst([Vital("a", WRONG), Vital("b", NOTE)]) == WRONG


@pytest.mark.parametrize(("hours", "words"), [(0.5, "1時間未満"), (47, "47時間"), (49, "2日")])
def test_ages_in_words(hours: float, words: str) -> None:
    assert in_words(dt.timedelta(hours=hours)) == words


def test_limits_are_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KODOMO_BATCH_HOURS", "200")
    assert Limits.from_environment() == Limits(batch_hours=200)
    for wrong in ("0", "-1", "two", "nan", "inf"):
        monkeypatch.setenv("KODOMO_FREE_GIB", wrong)
        with pytest.raises(UsageError, match="KODOMO_FREE_GIB"):
            Limits.from_environment()
