"""The chain of the audit log: what was changed, taken out, moved or cut off is named, by many writers at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kodomo.audit_chain import CHANGED, CUT_OFF, MISSING, MOVED, UNCHAINED, read_anchors, write_anchors
from kodomo.entries.store import EntryStore
from kodomo.entries.store import head as head_of
from kodomo.home import Home


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    """Five accesses and a record with two versions."""
    store = EntryStore(Home(tmp_path / "var"))
    for number in range(5):
        store.note_access("aoi", "child_view", purpose="確認", person_id=f"p{number}")
    record = store.create("paper_case", {"case_class": "要保護児童"}, by="aoi", department="child", person_id="p1")
    store.change(record.record_id, 1, {"case_class": "要支援児童"}, by="ibu", reason="訂正")
    return store


def run(store: EntryStore, statement: str) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def found(store: EntryStore) -> tuple[str, int | None] | None:
    finding = store.verify(read_anchors(store.home.audit_anchors)).finding
    return finding and (finding.kind, finding.number)


def test_an_untouched_log_is_whole(store: EntryStore) -> None:
    verdict = store.verify()
    assert (verdict.lines, verdict.before, verdict.finding) == (7, 0, None)


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("update entry_access set username = 'ibu' where detail like '%p2%'", (CHANGED, 3)),
        ("update entry_access set purpose = null where detail like '%p2%'", (CHANGED, 3)),
        ("update entry_access set happened_at = '2020-01-01 00:00:00.000000' where detail like '%p0%'", (CHANGED, 1)),
        ('update entry_version set content = \'{"case_class": "要支援児童"}\' where version = 1', (CHANGED, 6)),
        ("update entry_version set content = '{}', person_id = null, reason = null where version = 1", (CHANGED, 6)),
        ("delete from entry_access where detail like '%p1%'", (MISSING, 2)),
        ("delete from audit_chain where number = 4", (MISSING, 4)),
        ("update audit_chain set number = case number when 2 then 90 else 2 end where number in (2, 3);", (MOVED, 2)),
        ("update audit_chain set line = 'beginning|9999|3' where number = 0", (CHANGED, 0)),
    ],
)
def test_the_first_line_that_was_tampered_with_is_named(
    store: EntryStore, statement: str, finding: tuple[str, int]
) -> None:
    run(store, statement)
    assert found(store) == finding


def test_a_line_written_past_the_chain_is_named(store: EntryStore) -> None:
    run(
        store,
        "insert into entry_access select 'x', 'admin', action, purpose, detail, '2999-01-01 00:00:00.000000' "
        "from entry_access limit 1",
    )
    assert found(store) == (UNCHAINED, None)


def test_a_cut_end_is_seen_by_the_anchor_even_when_written_anew(store: EntryStore) -> None:
    head = head_of(store.home)
    assert head is not None
    write_anchors(store.home, "publication x", [head])
    assert found(store) is None
    run(store, "delete from entry_version")
    run(store, "delete from audit_chain where number > 5")
    assert found(store) == (CUT_OFF, 6)
    for _ in range(3):
        store.note_access("aoi", "child_view", person_id="p9")
    assert found(store) == (CUT_OFF, 7)


def test_a_log_emptied_with_its_chain_is_seen_by_the_anchor(store: EntryStore) -> None:
    write_anchors(store.home, "backup x", [head for head in [head_of(store.home)] if head])
    for table in ("entry_access", "entry_version", "audit_chain"):
        run(store, f"delete from {table}")
    assert found(store) == (CUT_OFF, 0)


def test_lines_from_before_the_chain_are_counted_and_none_may_go(store: EntryStore) -> None:
    run(store, "drop table audit_chain")
    later = EntryStore(store.home)
    assert (later.verify().lines, later.verify().before) == (0, 7)
    later.note_access("aoi", "child_view", person_id="p9")
    verdict = later.verify()
    assert (verdict.lines, verdict.before, verdict.finding) == (1, 7, None)
    run(later, "delete from entry_access where detail like '%p1%'")
    assert found(later) == (MISSING, 0)


def test_an_erasure_leaves_the_chain_whole(store: EntryStore) -> None:
    store.erase(store.current()[0].record_id, by="aoi", reason="請求")
    assert found(store) is None


def test_a_chain_of_another_key_is_no_chain(store: EntryStore) -> None:
    store.home.audit_key.write_text("x" * 40)
    from kodomo.audit_chain import _key

    _key.cache_clear()
    assert found(store) == (CHANGED, 0)


def test_many_writers_at_once_make_one_chain(store: EntryStore) -> None:
    def write(number: int) -> None:
        EntryStore(store.home).note_access(f"u{number}", "child_view", person_id="p1")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(24)))
    verdict = store.verify()
    assert (verdict.lines, verdict.finding) == (31, None)
