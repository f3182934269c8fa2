"""Notices: what makes each kind, that none comes twice or is lost, and who may learn of which."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kodomo.access.access import read_access
from kodomo.access.scope import Scope
from kodomo.data_subjects.person_requests import erase_typed
from kodomo.entries.disputes import Dispute, Place, answer_id
from kodomo.entries.meeting import facts_at_decision
from kodomo.entries.notices import (
    Mark,
    Notice,
    choose,
    counted,
    entered_since,
    events,
    judged,
    keep,
    kinds,
    mark_now,
    note_read,
    offered_kinds,
    shown_to,
)
from kodomo.entries.store import EntryStore
from kodomo.home import Home

AS_OF, TODAY = dt.date(2026, 4, 1), dt.date(2026, 4, 3)
DAY = dt.timedelta(days=1)


class Town:
    """Children, rows of tables about them, and what a scope has of the tables: all of it, or some."""

    def __init__(self, *children: dict[str, Any], **tables: list[dict[str, Any]]) -> None:
        self.by_id = {one["person_id"]: one for one in children}
        self.tables = tables
        self.scope = Scope.of(["child"], ["*"], ["case_worker"])
        self.without: set[str] = set()
        self.holders: dict[str, tuple[str, ...]] = {}
        self.own_pages = [page.name for page in read_access().entry_pages_of(self.scope)]

    def children(self) -> dict[str, dict[str, Any]]:
        return self.by_id

    def pages(self) -> list[str]:
        return self.own_pages

    def has_columns(self, source: str, *columns: str) -> bool:
        return source not in self.without and not {f"{source}.{column}" for column in columns} & self.without

    def table(self, source: str) -> Any:
        if source in self.without:
            return None
        return SimpleNamespace(grant=SimpleNamespace(holders=self.holders.get(source, ())))

    def rows(
        self, source: str, where: str = "true", values: Iterable[Any] = (), columns: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        return self.tables.get(source, [])


def child(person_id: str = "p1", **more: Any) -> dict[str, Any]:
    return {
        "person_id": person_id, "as_of_on": AS_OF, "tier": "high", "tier_rank": 3, "priority_class": "D",
        "priority_rank": 1, "due_on": None, "is_unborn": False, "last_seen_on": AS_OF, "seen_by_on": AS_OF + 30 * DAY,
        "sighting_limit_days": 30, "is_sighting_overdue": False, **more,
    }  # fmt: skip


def change(kind: str, direction: str, *, fact: bool = False, person_id: str = "p1", **more: Any) -> dict[str, Any]:
    return {
        "person_id": person_id, "change_kind": kind, "kind_label": kind, "subject_label": "虐待",
        "from_label": "" if fact else "1点", "to_label": "" if fact else "4点", "happened_on": AS_OF if fact else None,
        "why": "", "direction": direction, "compared_on": AS_OF - 30 * DAY, "is_since_batch": True,
        "is_since_decision": False, "comes_back_after": "support|watch|none", "change_no": 1, "value_label": "", **more,
    }  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    return EntryStore(Home(tmp_path / "var"))


def judge(town: Town, store: EntryStore, today: dt.date = TODAY, disputes: Iterable[Dispute] = ()) -> None:
    """Judge everybody, as after a batch."""
    keep(store, events(town, disputes, store, today), today, mark_now(store, "published", today))


def shown(town: Town, store: EntryStore, today: dt.date = TODAY, username: str = "aoi") -> list[Notice]:
    return shown_to(town, store, username, today)


def told(town: Town, store: EntryStore, today: dt.date = TODAY) -> list[tuple[str, str]]:
    """Kind and detail of what is unread."""
    return [(notice.kind, notice.detail) for notice in shown(town, store, today) if notice.is_unread]


def decide(store: EntryStore, one: dict[str, Any], decision: str = "watch", **more: str) -> str:
    content = {"decision": decision, "meeting_on": "2026-03-01", **facts_at_decision(one), **more}
    return store.create("decision", content, by="aoi", department="child", person_id=one["person_id"]).record_id


@pytest.mark.parametrize(
    ("days", "kind"), [(8, None), (7, "due"), (0, "due"), (-1, "overdue"), (-400, "overdue")]
)  # fmt: skip
def test_due_date_is_a_notice_from_a_week_before_it_and_overdue_after_it(
    store: EntryStore, days: int, kind: str | None
) -> None:
    town = Town(child(priority_class="A", due_on=TODAY + days * DAY))
    judge(town, store)
    assert told(town, store) == ([(kind, "")] if kind else [])


def test_notice_ahead_of_time_begins_by_itself(store: EntryStore) -> None:
    town = Town(child(priority_class="A", due_on=TODAY + 9 * DAY))
    judge(town, store)
    assert not shown(town, store, TODAY + DAY)
    assert [one.shown_from for one in shown(town, store, TODAY + 2 * DAY)] == [TODAY + 2 * DAY]


def test_due_date_is_one_notice_over_many_batches_and_passes(store: EntryStore) -> None:
    town = Town(child(priority_class="A", due_on=TODAY + 7 * DAY))
    judge(town, store)
    [first] = shown(town, store)
    for days in range(1, 8):
        judge(town, store, TODAY + days * DAY)
        assert [one.notice_id for one in shown(town, store, TODAY + days * DAY)] == [first.notice_id], days
    judge(town, store, TODAY + 8 * DAY)
    [late] = shown(town, store, TODAY + 8 * DAY)
    assert (late.kind, late.on) == ("overdue", TODAY + 7 * DAY)
    judge(town, store, TODAY + 9 * DAY)
    assert [one.notice_id for one in shown(town, store, TODAY + 9 * DAY)] == [late.notice_id]


def test_due_date_that_a_fall_puts_off_is_a_notice_when_it_comes_near_again(store: EntryStore) -> None:
    town = Town(child(priority_class="A", due_on=TODAY + 7 * DAY))
    judge(town, store)
    note_read(store, "aoi", [shown(town, store)[0].notice_id])
    town.by_id["p1"] |= {"priority_class": "C", "due_on": TODAY + 90 * DAY}
    judge(town, store)
    assert not shown(town, store)
    near = TODAY + 83 * DAY
    judge(town, store, near)
    assert [(one.kind, one.on, one.is_unread) for one in shown(town, store, near)] == [("due", TODAY + 90 * DAY, True)]


def test_earlier_due_date_counts_and_a_child_that_comes_again_has_a_new_one(store: EntryStore) -> None:
    town = Town(child(priority_class="C", due_on=TODAY + 90 * DAY))
    judge(town, store)
    town.by_id["p1"] |= {"priority_class": "A", "due_on": TODAY + 7 * DAY}
    judge(town, store)
    assert [one.on for one in shown(town, store)] == [TODAY + 7 * DAY]
    note_read(store, "aoi", [shown(town, store)[0].notice_id])
    town.by_id["p1"]["priority_class"] = "D"
    judge(town, store)
    assert [one.is_ended for one in shown(town, store)] == [True]
    later = TODAY + 300 * DAY
    town.by_id["p1"] |= {"priority_class": "A", "due_on": later + 7 * DAY}
    judge(town, store, later)
    [again] = shown(town, store, later)
    assert (again.kind, again.on, again.is_unread) == ("due", later + 7 * DAY, True)


def test_decision_ends_the_due_date_and_its_review_is_due(store: EntryStore) -> None:
    one = child(priority_class="A", due_on=TODAY + DAY)
    town = Town(one)
    judge(town, store)
    decide(store, one, review_on=str(TODAY + 7 * DAY))
    judge(town, store)
    assert told(town, store) == [("due", "review")]
    judge(town, store, TODAY + 8 * DAY)
    assert told(town, store, TODAY + 8 * DAY) == [("overdue", "review")]


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ([change("tier_rise", "rise")], "risen"),
        ([change("score_fall", "fall")], "fallen"),
        ([change("new_case", "rise", fact=True)], None),
        ([change("tier_rise", "rise", is_since_batch=False)], None),
        ([change("kind of a later version", "sideways")], None),
        ([change("score_rise", "rise"), change("tier_rise", "rise", change_no=2)], "risen"),
    ],
)
def test_move_since_the_batch_before_is_one_notice(
    store: EntryStore, rows: list[dict[str, Any]], kind: str | None
) -> None:
    town = Town(child(), bi_change=rows)
    judge(town, store)
    assert [one.kind for one in shown(town, store)] == ([kind] if kind else [])


def test_rise_stays_until_it_is_read_though_the_next_batch_does_not_have_it(store: EntryStore) -> None:
    town = Town(child(), bi_change=[change("tier_rise", "rise")])
    judge(town, store)
    town.tables["bi_change"] = []
    judge(town, store, TODAY + DAY)
    [notice] = shown(town, store, TODAY + DAY)
    assert notice.is_unread
    note_read(store, "aoi", [notice.notice_id])
    assert not told(town, store, TODAY + DAY)
    assert shown(town, store, TODAY + DAY, "ibu")[0].is_unread, "what one has read another has not"


def test_each_change_brings_a_decided_child_back_once(store: EntryStore) -> None:
    one = child(tier_rank=2)
    decide(store, one)
    first = change("new_case", "rise", fact=True, is_since_batch=False, is_since_decision=True, compared_on=AS_OF)
    town = Town(one, bi_change=[first])
    judge(town, store)
    judge(town, store, TODAY + DAY)
    [back] = shown(town, store)
    assert (back.kind, back.detail_ja) == ("back", "変化があった")
    note_read(store, "aoi", [back.notice_id])
    town.tables["bi_change"].append({**first, "change_kind": "move", "subject_label": "転居", "change_no": 2})
    judge(town, store, TODAY + DAY)
    assert told(town, store, TODAY + DAY) == [("back", "changed")]
    decide(store, one)
    town.tables["bi_change"] = []
    judge(town, store, TODAY + DAY)
    assert not told(town, store, TODAY + DAY)


def test_visit_ends_that_a_child_was_not_seen_and_its_arrival(store: EntryStore) -> None:
    town = Town(
        child(is_sighting_overdue=True, last_seen_on=dt.date(2026, 1, 1), seen_by_on=dt.date(2026, 1, 31)),
        bi_arrival=[
            {"person_id": "p1", "arrived_on": dt.date(2026, 2, 1), "see_by_on": dt.date(2026, 4, 1), "is_late": False}
        ],
    )
    judge(town, store)
    assert told(town, store) == [("not_seen", ""), ("arrival", "")]
    town.tables["bi_arrival"][0]["is_late"] = True
    judge(town, store)
    assert told(town, store) == [("not_seen", ""), ("arrival", "late")], "late is news of its own"
    visit = {"visited_on": "2026-04-02", "way": "訪問", "result": "会えた"}
    store.create("visit", visit, by="aoi", department="child", person_id="p1")
    judge(town, store)
    assert not told(town, store)
    assert {one.is_ended for one in shown(town, store)} == {True}


def marked(store: EntryStore, *, answered: str = "", is_there: bool = True, **more: str) -> Dispute:
    content = {"source_id": "council_cases", "fact_person_id": "p1", "line": "l", "what_is_wrong": "w", **more}
    if current := store.current("disputed_line"):
        version = current[0]
    else:
        version = store.create("disputed_line", content, by="aoi", department="health", person_id="p1")
    answer = None
    if answered:
        given = {"answer": answered, "answer_reason": "r"}
        answer = store.create(
            "line_answer", given, by="st", department="child", record_id=answer_id(version.record_id), person_id="p1"
        )
    return Dispute(version, answer, (Place("d", 1, "c"),) if is_there else ())


def test_marked_line_and_its_answer_are_a_notice_each(store: EntryStore) -> None:
    town = Town(child())
    dispute = marked(store)
    judge(town, store, disputes=[dispute])
    assert told(town, store) == [("disputed", "marked")]
    judge(town, store, disputes=[marked(store, answered="mend")])
    assert told(town, store) == [("disputed", "mend")]
    judge(town, store, disputes=[marked(store, is_there=False)])
    assert told(town, store) == [("disputed", "mended")]


@pytest.mark.parametrize(
    ("departments", "without", "holders", "fact_person", "is_shown"),
    [
        (["child"], set(), (), "mother", True),
        (["education"], {"bi_item_fact"}, ("education",), "p1", False),
        (["education"], {"bi_item_fact"}, ("education", "child"), "p1", True),
        (["education"], {"bi_item_fact"}, ("education", "child"), "mother", False),
        (["health"], {"bi_item_fact"}, ("health",), "mother", True),
        (["elderly"], {"bi_observation"}, (), "p1", False),
    ],
)
def test_marked_line_is_for_those_whose_sheet_has_it_and_who_marked_it(
    store: EntryStore, departments: list[str], without: set[str], holders: tuple[str, ...], fact_person: str,
    is_shown: bool,
) -> None:  # fmt: skip
    town = Town(child())
    judge(town, store, disputes=[marked(store, fact_person_id=fact_person)])
    town.scope = Scope.of(departments, ["*"], ["case_worker"])
    town.without, town.holders = without, {"bi_observation": holders}
    assert bool(shown(town, store)) == is_shown


def plan(store: EntryStore, until: dt.date, **more: str) -> Any:
    content = {
        "planned_on": "2026-03-01", "goal": "登校", "step_1_action": "電話", "step_1_actor": "担任",
        "step_1_until": str(until), "review_on": str(TODAY + 60 * DAY), **more,
    }  # fmt: skip
    return store.create("support_plan", content, by="aoi", department="child", person_id="p1")


def test_step_of_the_newest_plan_is_due_until_the_review_is_written(store: EntryStore) -> None:
    town = Town(child())
    plan(store, TODAY)
    newest = plan(store, TODAY + 8 * DAY)
    judge(town, store)
    assert not told(town, store)
    judge(town, store, TODAY + DAY)
    assert [(one.kind, one.detail_ja) for one in shown(town, store, TODAY + DAY)] == [("step_due", "取り組み1")]
    store.change(newest.record_id, 1, {**newest.content, "evaluation": "続ける"}, by="aoi")
    judge(town, store, TODAY + DAY)
    assert not told(town, store, TODAY + DAY)


BIRTHDAY = TODAY + 90 * DAY
BORN_ON = BIRTHDAY.replace(year=BIRTHDAY.year - 18)


@pytest.mark.parametrize("days", [-1, 0])
def test_open_case_is_a_notice_ninety_days_before_the_eighteenth_birthday(store: EntryStore, days: int) -> None:
    town = Town(child(birth_on=BORN_ON, case_opened_on=AS_OF), child("p2", birth_on=BORN_ON, case_opened_on=None))
    judge(town, store)
    notices = shown(town, store, TODAY + days * DAY)
    assert [(one.kind, one.person_id, one.on) for one in notices] == [("coming_of_age", "p1", BIRTHDAY)] * (days + 1)


def test_born_on_the_29th_of_february_is_a_child_until_the_first_of_march(store: EntryStore) -> None:
    judge(Town(child(birth_on=dt.date(2008, 2, 29), case_opened_on=AS_OF)), store, dt.date(2025, 12, 30))
    assert [one.on for one in shown(Town(child()), store, dt.date(2025, 12, 30))] == [dt.date(2026, 3, 1)]


def test_support_and_decision_are_open_at_the_birthday_until_they_end(store: EntryStore) -> None:
    one = child(birth_on=BORN_ON, case_opened_on=None)
    town = Town(one)
    support = store.create("support", {"started_on": "2026-03-01"}, by="a", department="child", person_id="p1")
    judge(town, store)
    assert told(town, store) == [("coming_of_age", "")]
    store.change(support.record_id, 1, {**support.content, "ended_on": "2026-04-01"}, by="a")
    judge(town, store)
    assert told(town, store) == []
    decide(store, one, "watch")
    judge(town, store)
    assert told(town, store) == [("coming_of_age", "")]
    decide(store, one, "none")
    judge(town, store)
    assert told(town, store) == []


def test_judging_again_and_at_once_makes_none_twice(store: EntryStore) -> None:
    town = Town(*(child(f"p{number}", is_sighting_overdue=True) for number in range(40)))

    def once(_number: int) -> None:
        judge(town, EntryStore(store.home))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(once, range(8)))
    assert len(shown(town, store)) == 40
    assert judged(store) == mark_now(store, "published", TODAY)


def test_judging_some_leaves_the_others_alone(store: EntryStore) -> None:
    town = Town(child("p1", is_sighting_overdue=True), child("p2", is_sighting_overdue=True))
    judge(town, store)
    one = Town(child("p1"))
    keep(store, events(one, [], store, TODAY), TODAY, mark_now(store, "published", TODAY), {"p1"})
    assert [(notice.person_id, notice.is_ended) for notice in shown(town, store) if not notice.is_ended] == [
        ("p2", False)
    ]


def test_entries_since_say_whom_they_are_about_and_an_erased_one_does_not(store: EntryStore) -> None:
    before = store.create("visit", {"a": "1"}, by="a", department="child", person_id="p1")
    assert entered_since(store, None) == {"p1"}
    store.create("meeting_record", {"a": "1"}, by="a", department="child")
    store.create("decision", {"a": "1"}, by="a", department="child", person_id="p2")
    assert entered_since(store, before.entered_at) == {"p1", "p2"}, "one that was written late counts"
    store.erase(before.record_id, by="a", reason="r")
    assert entered_since(store, before.entered_at) is None


def test_child_outside_the_scope_has_no_notice(store: EntryStore) -> None:
    town = Town(child("p1", is_sighting_overdue=True), child("p2", is_sighting_overdue=True))
    judge(town, store)
    del town.by_id["p1"]
    assert [notice.person_id for notice in shown(town, store)] == ["p2"]


@pytest.mark.parametrize(
    ("department", "offered"),
    [
        ("child", "overdue due back risen fallen not_seen arrival disputed step_due coming_of_age"),
        ("guidance_centre", "overdue due back risen fallen not_seen arrival disputed step_due coming_of_age"),
        ("health", "risen fallen not_seen arrival disputed"),
        ("education", "not_seen arrival disputed"),
        ("welfare", "not_seen arrival disputed"),
        ("elderly", "not_seen"),
        ("social_council", "disputed"),
    ],
)
def test_kinds_are_those_a_department_has_the_facts_of(department: str, offered: str, tmp_path: Path) -> None:
    access, scope = read_access(), Scope.of([department], ["*"], ["case_worker"])

    class Tables(Town):
        def table(self, source: str) -> Any:
            return next((one for one in access.tables_for(scope) if one.source == source), None)

        def has_columns(self, source: str, *columns: str) -> bool:
            found = self.table(source)
            return found is not None and not set(columns) & set(found.grant.without)

        def pages(self) -> list[str]:
            return [page.name for page in access.entry_pages_of(scope)]

    assert " ".join(offered_kinds(Tables())) == offered


def test_step_of_a_score_is_for_those_who_see_all_changes(store: EntryStore) -> None:
    town = Town(child("p1"), child("p2"))
    rows = [change("score_rise", "rise"), change("tier_rise", "rise", person_id="p2")]
    town.tables["bi_change"] = rows
    judge(town, store)
    assert {one.person_id for one in shown(town, store)} == {"p1", "p2"}
    town.holders = {"bi_change": ("health",)}
    assert {one.person_id for one in shown(town, store)} == {"p2"}


def test_each_reader_chooses_kinds_and_a_kind_not_offered_keeps_its_choice(store: EntryStore) -> None:
    town = Town(child(is_sighting_overdue=True, priority_class="A", due_on=TODAY))
    judge(town, store)
    assert counted(shown(town, store)) == {"due": 1, "not_seen": 1}
    choose(store, "aoi", ["not_seen"], list(kinds()))
    assert counted(shown(town, store)) == {"not_seen": 1}
    assert counted(shown(town, store, username="ibu")) == {"due": 1, "not_seen": 1}
    choose(store, "aoi", ["not_seen"], ["not_seen", "disputed"])
    assert counted(shown(town, store)) == {"not_seen": 1}
    choose(store, "aoi", ["due", "no kind", "not_seen"], list(kinds()))
    assert counted(shown(town, store)) == {"due": 1, "not_seen": 1}


def test_read_and_unread_again(store: EntryStore) -> None:
    town = Town(child(is_sighting_overdue=True))
    judge(town, store)
    [notice] = shown(town, store)
    note_read(store, "aoi", [notice.notice_id, notice.notice_id])
    assert counted(shown(town, store)) == {}
    note_read(store, "aoi", [notice.notice_id], is_read=False)
    assert counted(shown(town, store)) == {"not_seen": 1}


def test_old_notices_are_deleted_with_what_readers_did(store: EntryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from kodomo.entries import notices

    town = Town(child(), bi_change=[change("tier_rise", "rise")])
    past = dt.datetime(2024, 1, 1)
    monkeypatch.setattr(notices, "now", lambda: past)
    judge(town, store)
    note_read(store, "aoi", [shown(town, store)[0].notice_id])
    monkeypatch.undo()
    town.tables["bi_change"] = []
    judge(town, store)
    assert not shown(town, store)
    with store.engine.connect() as connection:
        assert connection.execute(notices.notice_states.select()).all() == []


def test_notice_of_a_mark_is_judged_by_publication_day_and_entries(store: EntryStore) -> None:
    assert judged(store) is None
    judge(Town(child()), store)
    assert judged(store) == Mark("published", TODAY, 0, None)
    store.create("visit", {"a": "1"}, by="a", department="child", person_id="p1")
    assert judged(store) != mark_now(store, "published", TODAY)


def test_deletion_forgets_the_notices_about_the_person_once(store: EntryStore) -> None:
    town = Town(child(priority_class="A", due_on=TODAY + DAY), child("p2", priority_class="A", due_on=TODAY + DAY))
    judge(town, store)
    note_read(store, "aoi", [notice.notice_id for notice in shown(town, store)])
    request = {"requested_on": "2026-04-02", "request": "deletion", "about": "全部", "outcome": "accepted"}
    store.create("person_request", {**request, "data_source": "all"}, by="c", department="child", person_id="p1")
    erase_typed(store)
    assert {notice.person_id for notice in shown(town, store)} == {"p2"}
    # What is still so is a notice again; the next run, which carries out the same request, leaves it.
    judge(town, store)
    assert [(notice.person_id, notice.is_unread) for notice in shown(town, store) if notice.person_id == "p1"] == [
        ("p1", True)
    ]
    note_read(store, "aoi", [notice.notice_id for notice in shown(town, store)])
    erase_typed(store)
    assert not any(notice.is_unread for notice in shown(town, store))
    assert {notice.person_id for notice in shown(town, store)} == {"p1", "p2"}
