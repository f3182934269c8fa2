"""Conditions that staff build: what each of them finds, and what a scope without the column is offered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kodomo.entries.conditions import Conditions
from kodomo.entries.meeting import facts_at_decision
from kodomo.entries.store import EntryStore
from kodomo.home import Home
from kodomo.warehouse import records

AS_OF, BEFORE, TODAY = dt.date(2026, 4, 1), dt.date(2025, 10, 1), dt.date(2026, 4, 10)
TIERS = {"high": ("ハイリスク", 3), "latent": ("潜在的リスク", 2), "low": ("ローリスク", 1)}


def child(person_id: str, tier: str = "low", **more: Any) -> dict[str, Any]:
    return {
        "person_id": person_id, "as_of_on": AS_OF, "kana": person_id, "tier": tier, "tier_label": TIERS[tier][0],
        "tier_rank": TIERS[tier][1], "priority_class": "A", "priority_rank": 1, "due_on": dt.date(2026, 4, 8),
        "is_known_to_services": False, "case_opened_on": None, "area_code": "mano", "area_name": "真野",
        "is_unborn": False, "last_seen_on": dt.date(2026, 3, 31), "seen_by_on": dt.date(2026, 5, 30),
        "sighting_limit_days": 60, "is_sighting_overdue": False,
        "school_name": "真野小学校", "age_years": 8, "vertical_chains": 0, "horizontal_chains": 0, "total_score": 1,
        **more,
    }  # fmt: skip


class Village:
    """Three children: their own rows, and tables of their tiers, items, contacts and earlier scores."""

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        self.hidden = set(hidden)
        self.connection = duckdb.connect()
        self.by_id = {
            row["person_id"]: row
            for row in (
                # Gravest in poverty, and latent in abuse all the same.
                child(
                    "a",
                    "high",
                    priority_rank=2,
                    vertical_chains=1,
                    area_code="ryotsu",
                    area_name="両津",
                    last_seen_on=dt.date(2026, 1, 1),
                    seen_by_on=dt.date(2026, 3, 2),
                    is_sighting_overdue=True,
                ),
                child("b", "latent", priority_rank=1, case_opened_on=dt.date(2024, 1, 1), is_known_to_services=True),
                child(
                    "c",
                    "low",
                    priority_rank=3,
                    priority_class="D",
                    age_years=-1,
                    school_name="（在籍なし）",
                    is_unborn=True,
                    last_seen_on=None,
                    seen_by_on=None,
                ),
            )
        }
        tiers = [
            ("a", True, "poverty", "貧困", 2, "high"), ("a", True, "abuse", "虐待", 1, "latent"),
            ("a", False, "young_carer", "ヤングケアラー", 4, "latent"),
            ("b", True, "abuse", "虐待", 1, "latent"), ("b", False, "young_carer", "ヤングケアラー", 4, "high"),
            ("c", True, "abuse", "虐待", 1, "low"), ("c", False, "young_carer", "ヤングケアラー", 4, "low"),
        ]  # fmt: skip
        self._make(
            "bi_child_tier",
            ("person_id", "is_active_version", "difficulty_type", "difficulty_label", "difficulty_order",
             "tier", "tier_label", "tier_rank"),
            [(*row, *TIERS[row[-1]]) for row in tiers],
        )  # fmt: skip
        self._make(
            "bi_contribution",
            ("person_id", "category", "item_code", "item_label"),
            [("a", "家庭", "household_moves", "3年以内の転居"), ("b", "家庭", "household_moves", "3年以内の転居"),
             ("b", "健康", "missed", "健診の未受診")],
        )  # fmt: skip
        self._make(
            "bi_observation",
            ("person_id", "observation_code", "observed_on", "ended_on"),
            [
                ("a", "checkup_attended", dt.date(2026, 1, 2), None),
                ("b", "consultation", dt.date(2024, 1, 1), dt.date(2025, 9, 1)),
                # No contact: the absence of a child is on record.
                ("c", "school_absence_days", dt.date(2026, 3, 1), None),
            ],
        )
        self._make(
            "bi_score_history",
            ("person_id", "as_of_on", "scored_on", "difficulty_type", "tier"),
            [("a", AS_OF, BEFORE, "abuse", "low"), ("a", AS_OF, BEFORE, "poverty", "latent"),
             ("b", AS_OF, BEFORE, "abuse", "high"), ("a", AS_OF, AS_OF, "abuse", "latent"),
             ("b", AS_OF, dt.date(2025, 4, 1), "abuse", "low")],
        )  # fmt: skip
        self._make(
            "bi_change",
            ("person_id", "change_no", "change_kind", "kind_label", "subject_label", "value_label", "from_label",
             "to_label", "happened_on", "why", "direction", "compared_on", "is_since_batch", "is_since_decision",
             "comes_back_after"),
            [("a", 1, "move", "転入・転居", "転入・転居", "", "", "", BEFORE, "", "rise", BEFORE, True, True, "watch"),
             ("b", 1, "tier_fall", "段階が下がった", "虐待", "", "高", "中", None, "", "fall", BEFORE, True, False,
              "watch"),
             # Since an earlier decision, and no news since the last batch.
             ("c", 1, "new_case", "新しいケース", "要対協", "", "", "", BEFORE, "", "rise", dt.date(2025, 9, 1), False,
              True, "watch")],
        )  # fmt: skip

    def _make(self, name: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" * len(columns))
        values = ", ".join(f"({marks})" for _ in rows)
        self.connection.execute(
            f"create table {name} as from (values {values}) as rows ({', '.join(columns)})",
            [value for row in rows for value in row],
        )

    def children(self) -> dict[str, dict[str, Any]]:
        return self.by_id

    def has_columns(self, source: str, *columns: str) -> bool:
        return source not in self.hidden and not self.hidden & set(columns)

    def rows(
        self, source: str, where: str = "true", values: Iterable[Any] = (), columns: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        asked = f"distinct {', '.join(columns)}" if columns else "*"
        return records(self.connection, f"select {asked} from {source} where {where}", list(values))


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    return EntryStore(Home(tmp_path / "var"))


def children_with(store: EntryStore, hidden: Iterable[str] = (), **chosen: str) -> list[str]:
    conditions = Conditions(Village(hidden), store, TODAY)
    return [row["person_id"] for row in conditions.find(chosen).children]


@pytest.mark.parametrize(
    ("chosen", "people"),
    [
        ({}, ["b", "a", "c"]),
        ({"risk_abuse": "latent"}, ["b", "a"]),
        ({"risk_abuse": "high"}, []),
        ({"risk_poverty": "high"}, ["a"]),
        ({"trial_young_carer": "latent-up"}, ["b", "a"]),
        ({"trial_young_carer": "latent"}, ["a"]),
        ({"trial_young_carer": "latent-up", "council": "no", "meeting": "none"}, ["a"]),
        ({"tier": "latent-up"}, ["b", "a"]),
        ({"item": "household_moves"}, ["b", "a"]),
        ({"item": "household_moves", "second_item": "missed"}, ["b"]),
        ({"chain": "any"}, ["a"]),
        ({"chain": "none"}, ["b", "c"]),
        ({"known": "unknown"}, ["a", "c"]),
        ({"council": "yes"}, ["b"]),
        ({"area": "mano", "known": "unknown"}, ["c"]),
        ({"school": "真野小学校"}, ["b", "a"]),
        ({"age_from": "0"}, ["b", "a"]),
        ({"age_to": "-1"}, ["c"]),
        ({"contact": "3"}, ["b", "c"]),
        ({"contact": "12"}, ["c"]),
        ({"seen": "overdue"}, ["a"]),
        ({"seen": "never"}, []),
        # On the very day three months before the as-of date, and not six.
        ({"seen": "3"}, ["a"]),
        ({"seen": "6"}, []),
        ({"moved": "any"}, ["b", "a"]),
        ({"moved": "move"}, ["a"]),
        ({"moved": "tier_fall"}, ["b"]),
        ({"moved": "new_case"}, []),
        ({"moved": "decision"}, []),
        ({"change": "new"}, ["c"]),
        ({"change": "risen"}, ["a"]),
        ({"change": "fallen"}, ["b"]),
        ({"due": "past"}, ["b", "a"]),
        ({"due": "week"}, []),
        ({"priority": ""}, ["b", "a", "c"]),
    ],
)
def test_children_meet_every_condition(store: EntryStore, chosen: dict[str, str], people: list[str]) -> None:
    assert children_with(store, **chosen) == people


def test_visit_ends_the_wait_at_once_where_the_child_was_seen(store: EntryStore) -> None:
    for result, day in (("会えなかった", "2026-04-09"), ("拒否", "2026-04-08")):
        content = {"visited_on": day, "way": "訪問", "result": result}
        store.create("visit", content, by="aoi", department="child", person_id="a")
    assert children_with(store, seen="overdue") == ["a"]
    content = {"visited_on": "2026-04-02", "way": "訪問", "result": "会えた"}
    store.create("visit", content, by="aoi", department="child", person_id="a")
    assert children_with(store, seen="overdue") == []
    assert children_with(store, seen="3") == []


def test_children_changed_since_their_decision_come_back_with_the_reason(store: EntryStore) -> None:
    for child_id, decision, basis in (("a", "watch", BEFORE), ("b", "watch", BEFORE), ("c", "none", AS_OF)):
        facts = {**facts_at_decision(Village().by_id[child_id]), "as_of_then": basis.isoformat(), "tier_rank_then": "3"}
        content = {"meeting_on": basis.isoformat(), "decision": decision, **facts}
        store.create("decision", content, by="aoi", department="child", person_id=child_id)
    assert children_with(store, meeting="changed") == ["a"]
    assert children_with(store, meeting="fallen") == ["b"]
    assert children_with(store, meeting="open") == ["b", "a"]
    assert children_with(store, moved="decision") == ["b", "a"]


def test_decision_moves_a_child_between_conditions(store: EntryStore) -> None:
    a = Village().by_id["a"]
    content = {"meeting_on": "2026-04-02", "decision": "watch", "review_on": "2026-04-09", **facts_at_decision(a)}
    store.create("decision", content, by="aoi", department="child", person_id="a")
    assert children_with(store, meeting="none") == ["b", "c"]
    assert children_with(store, meeting="any") == ["a"]
    assert children_with(store, meeting="last_watch") == ["a"]
    assert children_with(store, meeting="review") == ["a"]
    assert children_with(store, meeting="last_support") == []
    assert children_with(store, meeting="open") == ["b", "a"]


@pytest.mark.parametrize(
    ("hidden", "condition"),
    [
        ("bi_child_tier", "risk_abuse"), ("bi_contribution", "item"), ("bi_decision", "meeting"),
        ("bi_decision", "due"),
        ("bi_observation", "contact"), ("bi_score_history", "change"),
        ("bi_change", "moved"), ("tier", "tier"), ("case_opened_on", "council"),
        ("is_known_to_services", "known"), ("last_seen_on", "seen"),
        ("vertical_chains", "chain"), ("area_code", "area"),
    ],
)  # fmt: skip
def test_condition_is_offered_to_those_who_have_its_columns(store: EntryStore, hidden: str, condition: str) -> None:
    assert condition in Conditions(Village(), store, TODAY).offered
    assert condition not in Conditions(Village([hidden]), store, TODAY).offered
    code = next(iter(Conditions(Village(), store, TODAY).offered[condition].choices))
    result = Conditions(Village([hidden]), store, TODAY).find({condition: code})
    assert (result.children, result.unknown) == ([], [condition])
    assert not Conditions(Village([hidden]), store, TODAY).offers({condition: code})


@pytest.mark.parametrize(
    ("chosen", "is_known"),
    [
        ({"risk_abuse": "high"}, True), ({"item": "parents_divorced"}, True), ({"item": "retired_item"}, False),
        ({"risk_abuse": "gravest"}, False), ({"school": "閉校した小学校"}, False),
    ],
)  # fmt: skip
def test_condition_without_children_differs_from_one_that_cannot_be_judged(
    store: EntryStore, chosen: dict[str, str], is_known: bool
) -> None:
    result = Conditions(Village(), store, TODAY).find(chosen)
    assert result.children == []
    assert bool(result.unknown) is not is_known


def test_first_batch_has_no_change(store: EntryStore) -> None:
    village = Village()
    village.connection.execute("delete from bi_score_history where scored_on < as_of_on")
    assert "change" not in Conditions(village, store, TODAY).offered
