"""What moved a child, in words, and what of it is read of a protected child."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from kodomo.entries.changes import read_changes, since_batch

ROW = {
    "person_id": "a", "change_no": 1, "change_kind": "new_case", "kind_label": "新しいケース",
    "subject_label": "要対協のケース", "value_label": "要支援", "from_label": None, "to_label": None,
    "happened_on": dt.date(2026, 4, 20), "why": "なぜ", "direction": "rise", "compared_on": dt.date(2026, 4, 1),
    "is_since_batch": True, "is_since_decision": False, "comes_back_after": "support|watch",
}  # fmt: skip
SCORE = {
    **ROW, "change_no": 2, "change_kind": "score_fall", "kind_label": "点数が下がった", "subject_label": "虐待",
    "value_label": None, "from_label": "8点", "to_label": "5.5点", "happened_on": None, "direction": "fall",
}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (ROW, "新しいケース: 要対協のケース（要支援） 2026年4月20日"),
        (SCORE, "点数が下がった: 虐待 8点 → 5.5点"),
        (
            {**ROW, "kind_label": "離婚・別居", "subject_label": "離婚", "value_label": "離婚"},
            "離婚・別居: 離婚 2026年4月20日",
        ),
        ({**ROW, "subject_label": "新しいケース", "value_label": None}, "新しいケース 2026年4月20日"),
    ],
)  # fmt: skip
def test_change_in_words(row: dict[str, Any], words: str) -> None:
    [change] = read_changes([row], {"a": {}})["a"]
    assert change.words == words


def test_changes_are_in_order_and_of_the_children_in_reach() -> None:
    older = {**ROW, "compared_on": dt.date(2026, 3, 1), "is_since_batch": False}
    rows = [SCORE, older, ROW, {**ROW, "person_id": "b"}]
    changes = read_changes(rows, {"a": {}})
    assert set(changes) == {"a"}
    assert [(c.compared_on.month, c.kind) for c in changes["a"]] == [
        (4, "new_case"),
        (4, "score_fall"),
        (3, "new_case"),
    ]
    assert [change.kind for change in since_batch(changes["a"])] == ["new_case", "score_fall"]


@pytest.mark.parametrize(("child", "row"), [({"protection": "withheld"}, ROW), ({}, {**ROW, "protection": "withheld"})])
def test_change_of_a_protected_child_has_neither_day_nor_text(child: dict[str, Any], row: dict[str, Any]) -> None:
    [change] = read_changes([row], {"a": child})["a"]
    assert change.words == "新しいケース: 要対協のケース"
    assert change.happened_on is None


def test_reader_without_decisions_reads_changes_since_the_batch() -> None:
    row = {name: value for name, value in ROW.items() if name not in ("is_since_decision", "comes_back_after")}
    [change] = read_changes([row], {"a": {}})["a"]
    assert (change.is_since_batch, change.is_since_decision, since_batch([change])) == (True, False, (change,))
