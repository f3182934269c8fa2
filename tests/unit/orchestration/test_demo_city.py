"""The past of the demo's city: meetings, support and deliveries that went wrong."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from kodomo.determination import service
from kodomo.entries.forms import forms, mistakes
from kodomo.entries.meeting import meeting_record, on_agenda
from kodomo.entries.store import EntryStore
from kodomo.home import Home
from orchestration.operations.demo_city import earlier_dates, enter_meeting, spoil_deliveries

AS_OF, TODAY = dt.date(2026, 1, 1), dt.date(2026, 4, 1)
CHILDREN = [
    {
        "person_id": f"{number:015d}", "priority_class": "A", "priority_rank": number, "tier": "high", "tier_rank": 3,
        "tier_label": "ハイリスク", "total_score": 20 - number, "as_of_on": AS_OF, "due_on": dt.date(2026, 1, 8),
    }
    for number in range(1, 16)
]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(service, "published_children", lambda _home: CHILDREN)
    monkeypatch.setattr(service, "published_changes", lambda _home: [])
    return Home(tmp_path)


def test_batches_are_half_a_year_and_a_quarter_before_the_last() -> None:
    assert earlier_dates(dt.date(2026, 8, 31)) == [dt.date(2026, 2, 28), dt.date(2026, 5, 31)]


def test_meeting_after_a_batch_decides_the_first_by_rank(home: Home) -> None:
    assert enter_meeting(home, AS_OF, TODAY) == 12
    store = EntryStore(home)
    decided = store.current("decision")
    assert [version.person_id for version in decided] == [child["person_id"] for child in CHILDREN[:12]]
    assert {version.content["decision"] for version in decided} == {"support", "watch", "none"}
    assert {version.content["agrees_with_tier"] for version in decided} == {"yes", "no"}
    assert any(version.content.get("review_on", "9") < TODAY.isoformat() for version in decided)
    assert {version.content["tier_then"] for version in decided} == {"high"}
    supports = store.current("support")
    assert {version.content["outcome"] for version in supports} > {"継続中"}
    assert {version.content["decision_id"] for version in supports} <= {version.record_id for version in decided}
    record = meeting_record(store, "child", dt.date(2026, 1, 8))
    assert on_agenda(record) == {child["person_id"] for child in CHILDREN}
    plans = store.current("support_plan")
    assert [plan.person_id for plan in plans] == [support.person_id for support in supports]
    assert {"evaluation" in plan.content for plan in plans} == {True, False}
    assert {visit.content["result"] for visit in store.current("visit")} == {"会えた", "会えなかった"}
    for form in ("decision", "support", "support_plan", "visit"):
        assert [mistakes(forms()[form], version.content, TODAY) for version in store.current(form)] == [
            {} for _ in store.current(form)
        ]


def test_entries_of_a_batch_are_made_once(home: Home) -> None:
    enter_meeting(home, AS_OF, TODAY)
    assert enter_meeting(home, AS_OF, TODAY) == 0
    assert len(EntryStore(home).current("decision")) == 12


def test_meeting_that_is_to_come_has_an_agenda_and_no_decision(home: Home) -> None:
    assert enter_meeting(home, AS_OF, AS_OF) == 0
    store = EntryStore(home)
    record = meeting_record(store, "child", dt.date(2026, 1, 8))
    assert len(on_agenda(record)) == 15
    assert "minutes" not in record.content
    assert store.current("decision") == []
    assessed = store.current("assessment")
    assert [version.person_id for version in assessed] == [child["person_id"] for child in CHILDREN[:3]]


def test_one_file_loses_its_headings_and_one_source_is_late(tmp_path: Path) -> None:
    for folder in ("before/newborn_visits", "last/newborn_visits", "last/after_school_club"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.csv").write_bytes(b"heading\r\n1\r\n2\r\n")
    spoil_deliveries(tmp_path / "last", tmp_path / "before")
    assert (tmp_path / "before/newborn_visits/a.csv").read_bytes() == b"1\r\n2\r\n"
    assert (tmp_path / "last/newborn_visits/a.csv").read_bytes() == b"heading\r\n1\r\n2\r\n"
    assert list((tmp_path / "last/after_school_club").iterdir()) == []
