"""``kodomo superset apply`` says in ten lines what it changed."""

from __future__ import annotations

from orchestration.commands.superset import summary


def test_changes_are_counted_by_what_they_concern() -> None:
    lines = [
        "概況: made",
        "対象者一覧: changed",
        "role area_ryotsu: made",
        "role area_ryotsu: can_read on Chart given",
        "role area_ryotsu: can_write on Chart taken",
        "rule bi_child area: made",
        "account admin: made (child)",
        "account health_all: roles +view_child -view_list",
        "account old: deactivated",
        "account old: own charts deleted (3)",
        "3 files of scopes published again",
    ]
    assert summary(lines) == [
        "dashboards   1 changed, 1 made",
        "roles        1 made",
        "permissions  1 given, 1 taken",
        "rules        1 made",
        "charts       1 deleted",
        "accounts     1 deactivated, 1 made, 1 roles",
        "files        1 written",
    ]


def test_many_changes_stay_within_ten_lines() -> None:
    assert len(summary(f"role area_{i}: can_read on Chart given" for i in range(600))) == 1
    assert summary([]) == []
