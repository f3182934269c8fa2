"""Versions of entries: nothing lost, nothing doubled, old or new state after a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kodomo.entries.store import ConflictError, EntryStore, UnknownRecordError, metadata
from kodomo.home import PROJECT, Home

PEOPLE = 20


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    return EntryStore(Home(tmp_path / "var"))


def create(store: EntryStore, **content: str) -> str:
    return store.create("paper_case", content, by="aoi", department="child", person_id="p1").record_id


def test_a_change_is_a_new_version_with_who_and_when(store: EntryStore) -> None:
    record_id = create(store, case_class="要保護児童")
    store.change(record_id, 1, {"case_class": "要支援児童"}, by="ibu")
    first, second = store.history(record_id)
    assert (first.version, first.entered_by, first.content) == (1, "aoi", {"case_class": "要保護児童"})
    assert (second.version, second.entered_by, second.content) == (2, "ibu", {"case_class": "要支援児童"})
    assert second.entered_at >= first.entered_at
    assert [version.version for version in store.current("paper_case")] == [2]


def test_concurrent_edit_is_rejected(store: EntryStore) -> None:
    record_id = create(store, a="1")
    store.change(record_id, 1, {"a": "2"}, by="aoi")
    with pytest.raises(ConflictError):
        store.change(record_id, 1, {"a": "3"}, by="ibu")
    assert store.newest(record_id).content == {"a": "2"}


def test_many_at_once_on_one_record_make_one_version(store: EntryStore) -> None:
    record_id = create(store, a="0")

    def change(number: int) -> bool:
        try:
            EntryStore(store.home).change(record_id, 1, {"a": str(number)}, by=f"u{number}")
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(PEOPLE) as threads:
        assert sum(threads.map(change, range(PEOPLE))) == 1
    assert len(store.history(record_id)) == 2


def test_a_form_sent_twice_is_one_record(store: EntryStore) -> None:
    record_id = str(uuid.uuid4())
    store.create("decision", {"a": "1"}, by="aoi", department="child", record_id=record_id)
    with pytest.raises(ConflictError):
        store.create("decision", {"a": "1"}, by="aoi", department="child", record_id=record_id)
    assert len(store.current("decision")) == 1


def test_many_people_entering_at_once_lose_and_double_nothing(store: EntryStore) -> None:
    def enter(number: int) -> list[str]:
        own = EntryStore(store.home)
        return [
            own.create("paper_case", {"n": f"{number}-{i}"}, by=f"u{number}", department="child").record_id
            for i in range(5)
        ]

    with ThreadPoolExecutor(PEOPLE) as threads:
        ids = [record_id for made in threads.map(enter, range(PEOPLE)) for record_id in made]
    assert sorted(ids) == sorted(version.record_id for version in store.current())
    assert len({version.content["n"] for version in store.current()}) == PEOPLE * 5


def test_deleted_records_stay_with_their_versions(store: EntryStore) -> None:
    record_id = create(store, a="1")
    store.delete(record_id, 1, by="ibu", reason="誤入力")
    assert store.current() == []
    assert [version.is_deleted for version in store.history(record_id)] == [False, True]
    with pytest.raises(ConflictError):
        store.change(record_id, 2, {"a": "2"}, by="aoi")


def test_erasing_empties_every_version_and_says_who_did_it(store: EntryStore) -> None:
    record_id = create(store, a="秘密")
    store.change(record_id, 1, {"a": "秘密2"}, by="aoi")
    assert store.erase(record_id, by="admin", reason="利用停止の請求") == 2
    assert [dict(version.content) for version in store.history(record_id)] == [{}, {}, {}]
    assert store.newest(record_id).reason == "利用停止の請求"
    files = [path for path in store.home.root.glob("entries.db*") if path.is_file()]
    assert files
    assert all("秘密".encode() not in path.read_bytes() for path in files)


def test_unknown_record_is_an_error(store: EntryStore) -> None:
    with pytest.raises(UnknownRecordError):
        store.newest("nothing")


def test_migrations_make_the_tables_of_the_model(store: EntryStore) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "entry_alembic_version"})
        assert compare_metadata(context, metadata) == []


def test_killed_in_the_middle_of_saving_leaves_the_old_state(store: EntryStore) -> None:
    record_id = create(store, a="old")
    program = f"""
import time
from pathlib import Path
from kodomo.home import Home
from kodomo.entries.store import EntryStore, versions
store = EntryStore(Home(Path({str(store.home.root)!r})))
with store.engine.begin() as connection:
    connection.execute(versions.insert().values(
        record_id={record_id!r}, version=2, form='paper_case', department='child', content='{{}}', is_deleted=False,
        entered_by='x', entered_at=__import__('datetime').datetime(2026, 4, 1)))
    print('written', flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=PROJECT, stdout=subprocess.PIPE, env={**os.environ}, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "written"
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.1)
    assert store.newest(record_id).content == {"a": "old"}
    assert store.change(record_id, 1, {"a": "new"}, by="aoi").version == 2


def test_the_database_is_for_its_owner_only(store: EntryStore) -> None:
    assert store.home.entries.stat().st_mode & 0o077 == 0


def test_determinations_are_records_of_their_own(store: EntryStore) -> None:
    import datetime as dt

    kept = store.record_determination(
        purpose="受理会議",
        scope="person",
        person_id="p1",
        as_of_on=dt.date(2026, 4, 1),
        publication="r1",
        heard=[{"observation_code": "divorce", "observed_on": dt.date(2026, 3, 1)}],
        result=[],
        determined_by="aoi",
    )
    row = store.determination(kept)
    assert (row["purpose"], row["determined_by"]) == ("受理会議", "aoi")
    assert row["heard"] == [{"observation_code": "divorce", "observed_on": "2026-03-01"}]
    assert store.current() == []
