"""The list for a meeting: who is on it, since when, until when."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from kodomo.entries.changes import Change, Changes, look_by
from kodomo.entries.meeting import (
    Filters,
    agenda,
    band,
    by_rank,
    capacities,
    facts_at_decision,
    meeting_record,
    months_later,
    of_state,
    on_agenda,
    record_id_of,
    with_agenda,
)
from kodomo.entries.store import EntryStore
from kodomo.home import Home

ON = dt.date(2026, 4, 10)
BATCH, NEXT_BATCH = dt.date(2026, 4, 1), dt.date(2026, 5, 1)
NO_CHANGES: Changes = {}


def child(person_id: str, **more: Any) -> dict[str, Any]:
    given = {
        "person_id": person_id,
        "priority_class": "A",
        "priority_rank": 1,
        "due_on": dt.date(2026, 4, 8),
        "tier": "high",
        "tier_rank": 3,
        "tier_label": "ハイリスク",
        "area_code": "mano",
        "total_score": 12,
        "as_of_on": dt.date(2026, 4, 1),
    }
    return {**given, **more}


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    return EntryStore(Home(tmp_path / "var"))


def decide(store: EntryStore, about: dict[str, Any], **content: str) -> None:
    given = {"meeting_on": "2026-04-10", "decision": "watch", **facts_at_decision(about), **content}
    store.create("decision", given, by="aoi", department="child", person_id=about["person_id"])


def states(
    children: list[dict[str, Any]], store: EntryStore, on: dt.date = ON, changes: Changes = NO_CHANGES, **filters: Any
) -> list[tuple[str, str]]:
    return [(item.person_id, item.state) for item in agenda(children, store, on, Filters(**filters), changes)]


def test_the_most_urgent_come_first_and_class_d_not_at_all(store: EntryStore) -> None:
    children = [
        child("late", due_on=dt.date(2026, 6, 1), priority_rank=1),
        child("b", priority_rank=5),
        child("a", priority_rank=2),
        child("calm", priority_class="D"),
    ]
    assert [person for person, _ in states(children, store)] == ["a", "b", "late"]


def test_a_decided_child_leaves_the_list_and_comes_back_on_its_day(store: EntryStore) -> None:
    one = child("one")
    decide(store, one, review_on="2026-07-01")
    assert states([one], store) == []
    assert states([one], store, dt.date(2026, 6, 30)) == []
    assert states([one], store, dt.date(2026, 7, 1)) == [("one", "review")]
    assert states([one], store, state="decided") == [("one", "decided")]


def test_a_child_whose_tier_has_risen_since_comes_back(store: EntryStore) -> None:
    decide(store, child("one", tier="latent", tier_rank=2), decision="none")
    assert states([child("one", tier="latent", tier_rank=2)], store) == []
    assert states([child("one", tier="high", tier_rank=3)], store) == [("one", "risen")]


def change(kind: str = "new_case", direction: str = "rise", since: dt.date = BATCH, **more: Any) -> Change:
    """A change between the batch that the decision rests on and the next."""
    back = ("support", "watch", "none") if direction == "rise" else ("support", "watch")
    given = {
        "kind": kind, "kind_label": "新しいケース", "subject": "要対協のケース", "from_label": "", "to_label": "",
        "happened_on": dt.date(2026, 4, 20), "why": "", "direction": direction, "compared_on": since,
        "is_since_batch": True, "is_since_decision": True, "comes_back_after": back,
    }  # fmt: skip
    return Change(**{**given, **more})


def test_limit_of_a_change_counts_from_the_first_batch_that_had_it() -> None:
    first, later = dt.date(2026, 5, 1), dt.date(2026, 5, 30)
    case, move = change(since_on=first), change("move", since_on=first + dt.timedelta(days=1))
    for as_of_on in (first, later):
        assert look_by([case], as_of_on) == first + dt.timedelta(days=14)
        assert look_by([case, move], as_of_on) == first + dt.timedelta(days=14)
        assert look_by([move], as_of_on) == first + dt.timedelta(days=31)
    # What is heard in a determination has no batch yet.
    assert look_by([change()], later) == later + dt.timedelta(days=14)
    assert look_by([change("score_fall", "fall", since_on=first)], later) is None


@pytest.mark.parametrize(
    ("decision", "changes", "state"),
    [
        ("support", [change()], "changed"),
        ("none", [change()], "changed"),
        # Support may end, where there is some; where nothing was decided, nothing can end.
        ("support", [change("tier_fall", "fall")], "fallen"),
        ("watch", [change("score_fall", "fall")], "fallen"),
        ("none", [change("tier_fall", "fall")], "decided"),
        ("support", [change("score_fall", "fall"), change()], "changed"),
        # Compared with another batch than the one that the decision rests on.
        ("support", [change(since=dt.date(2026, 3, 1))], "decided"),
        ("support", [], "decided"),
    ],
)
def test_a_decided_child_that_changed_comes_back_at_the_same_tier(
    store: EntryStore, decision: str, changes: list[Change], state: str
) -> None:
    one = child("one")
    decide(store, one, decision=decision, review_on="2026-10-01")
    later = child("one", as_of_on=NEXT_BATCH)
    assert states([later], store, dt.date(2026, 5, 8), {"one": changes}, state="all") == [("one", state)]
    is_open = state != "decided"
    assert states([later], store, dt.date(2026, 5, 8), {"one": changes}) == [("one", state)] * is_open


def test_the_next_decision_answers_the_changes_until_then(store: EntryStore) -> None:
    decide(store, child("one"), decision="support")
    later = child("one", as_of_on=NEXT_BATCH)
    (item,) = agenda([later], store, dt.date(2026, 5, 8), Filters(), {"one": [change()]})
    assert [moved.words for moved in item.changes] == ["新しいケース: 要対協のケース 2026年4月20日"]
    # Of priority and change the earlier: a new case within 14 days of the batch.
    assert item.due_on == later["due_on"] == dt.date(2026, 4, 8)
    calm = {**later, "due_on": dt.date(2027, 4, 1)}
    (item,) = agenda([calm], store, dt.date(2026, 5, 8), Filters(), {"one": [change("score_rise"), change()]})
    assert item.due_on == NEXT_BATCH + dt.timedelta(days=14)
    decide(store, later, decision="support", meeting_on="2026-05-08")
    assert states([later], store, dt.date(2026, 5, 8), {"one": [change()]}) == []


def test_a_rise_of_the_tier_and_a_review_come_before_a_change(store: EntryStore) -> None:
    decide(store, child("risen", tier="latent", tier_rank=2))
    decide(store, child("review"), review_on="2026-05-01")
    children = [child("risen", as_of_on=NEXT_BATCH), child("review", as_of_on=NEXT_BATCH)]
    changes = {"risen": [change()], "review": [change()]}
    assert sorted(states(children, store, dt.date(2026, 5, 8), changes)) == [("review", "review"), ("risen", "risen")]


def test_a_decision_from_before_its_basis_was_kept_is_the_one_that_the_batch_compared_with(store: EntryStore) -> None:
    decide(store, child("one"), as_of_then="")
    assert states([child("one")], store, ON, {"one": [change(is_since_decision=False)]}) == []
    assert states([child("one")], store, ON, {"one": [change()]}) == [("one", "changed")]


def test_the_newest_meeting_counts(store: EntryStore) -> None:
    one = child("one")
    decide(store, one, meeting_on="2026-03-01", review_on="2026-04-01")
    decide(store, one, meeting_on="2026-04-02", review_on="2026-10-01")
    assert states([one], store) == []
    (item,) = agenda([one], store, ON, Filters(state="all"))
    assert len(item.decisions) == 2
    assert item.due_on == dt.date(2026, 10, 1)


def test_person_with_a_decision_stays_on_the_list(store: EntryStore) -> None:
    calm = child("calm", priority_class="D", tier="low", tier_rank=1)
    decide(store, calm, review_on="2026-04-10")
    assert states([calm], store) == [("calm", "review")]


def test_filters(store: EntryStore) -> None:
    children = [child("a"), child("b", area_code="kanai", tier="latent"), child("c", due_on=dt.date(2026, 9, 1))]
    assert states(children, store, area="kanai") == [("b", "undecided")]
    assert states(children, store, tier="latent") == [("b", "undecided")]
    assert [person for person, _ in states(children, store, due_by=dt.date(2026, 4, 30))] == ["a", "b"]


def test_a_score_alone_writes_nothing(store: EntryStore) -> None:
    agenda([child("a")], store, ON, Filters())
    assert store.current(with_deleted=True) == []


def test_due_dates_are_in_bands_and_states_can_be_counted(store: EntryStore) -> None:
    due = {"past": -1, "week": 7, "month": 8, "later": 31}
    children = [child(name, due_on=ON + dt.timedelta(days=days)) for name, days in due.items()]
    children.append(child("none", due_on=None))
    decide(store, children[0])
    everybody = agenda(children, store, ON, Filters(state="all"))
    # What is decided has the date of its review, and none where there is none.
    assert {item.person_id: band(item, ON) for item in everybody} == {name: name for name in due} | {
        "past": "none", "none": "none",
    }  # fmt: skip
    assert [len(of_state(everybody, state)) for state in ("open", "undecided", "decided", "all")] == [4, 4, 1, 5]
    assert of_state(everybody, "open") == agenda(children, store, ON, Filters(state="open"))


def test_agenda_is_in_the_order_of_ranks(store: EntryStore) -> None:
    children = [child("late", due_on=dt.date(2026, 6, 1), priority_rank=1), child("early", priority_rank=2)]
    assert [item.person_id for item in by_rank(agenda(children, store, ON, Filters()))] == ["late", "early"]
    assert next(iter(capacities())) == 20


@pytest.mark.parametrize(
    ("on", "months", "later"),
    [
        ("2026-04-10", 3, "2026-07-10"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-31", 1, "2027-01-31"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-11-29", 3, "2028-02-29"),
    ],
)
def test_review_is_on_the_same_day_of_a_later_month(on: str, months: int, later: str) -> None:
    assert months_later(dt.date.fromisoformat(on), months).isoformat() == later


def test_children_beyond_reach_stay_on_the_agenda(store: EntryStore) -> None:
    assert on_agenda(meeting_record(store, "child", ON)) == set()
    content = {"agenda": with_agenda(None, ["b", "a"], ["a", "b"])}
    store.create("meeting_record", content, by="aoi", department="child", record_id=record_id_of("child", ON))
    record = meeting_record(store, "child", ON)
    assert on_agenda(record) == {"a", "b"}
    assert with_agenda(record, ["c"], ["b", "c"]) == "a|c"
    assert meeting_record(store, "guidance_centre", ON) is None
