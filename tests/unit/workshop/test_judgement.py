"""What is said of a draft on a past date, from rows of the evaluation: order, small bases, warnings."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from kodomo.workshop.judgement import Judgement, by_group, calibration, cases_of, cautions, is_shown, overall

FROZEN = dt.date(2025, 4, 1)
DRAFT: Any = SimpleNamespace(base_version="v2", model_version="v3")


def row(version: str, kind: str, group: str, measure: str = "ppv", **given: Any) -> dict[str, Any]:
    plain = {
        "model_version": version, "difficulty_type": "abuse", "group_kind": kind, "group_kind_label": kind,
        "group_label": group, "measure": measure, "measure_label": measure, "measure_value": 0.5, "base": 10,
        "people": 90, "cases": 7, "caution_label": "—",
    }  # fmt: skip
    return {**plain, **given}


def judged(*rows: dict[str, Any]) -> Judgement:
    return Judgement(FROZEN, FROZEN, "run", 1, rows, (), 1)


def test_a_line_has_both_versions_and_stands_without_one() -> None:
    judgement = judged(
        row("v2", "score_band", "  2〜", "case_rate"),
        row("v3", "score_band", "  2〜", "case_rate", measure_value=0.6),
        row("v3", "score_band", " 10〜", "case_rate"),
        row("v3", "score_band", "  4〜", "case_rate", difficulty_type="poverty"),
    )
    lines = calibration(judgement, DRAFT, "abuse")
    assert [(line.group_label, line.before and line.before["measure_value"]) for line in lines] == [
        ("2〜", 0.5), ("10〜", None),
    ]  # fmt: skip
    assert lines[0].after["measure_value"] == 0.6


def test_figures_of_the_meeting_s_capacity_stand_by_measure_in_the_order_of_their_size() -> None:
    rows = [row("v3", "capacity", group, measure) for measure in ("recall", "ppv") for group in (" 100人", "  20人")]
    assert [(line.measure, line.group_label) for line in overall(judged(*rows), DRAFT, "abuse")] == [
        ("ppv", "20人"), ("ppv", "100人"), ("recall", "20人"), ("recall", "100人"),
    ]  # fmt: skip


def test_ages_stand_by_age_and_a_kind_of_one_group_is_left_out() -> None:
    ages = ("12〜14歳", "3〜5歳", "出生前", "0〜2歳")
    judgement = judged(*(row("v3", "age_band", age) for age in ages), row("v3", "nationality", "日本人住民"))
    groups = by_group(judgement, DRAFT, "abuse")
    assert list(groups) == ["age_band"]
    assert list(groups["age_band"]) == ["出生前", "0〜2歳", "3〜5歳", "12〜14歳"]


@pytest.mark.parametrize(
    ("given", "shown"), [({"base": 5}, True), ({"base": 4}, False), ({"measure_value": None}, False)]
)
def test_a_rate_of_fewer_than_five_is_not_said(given: dict[str, Any], shown: bool) -> None:
    assert is_shown(row("v3", "sex", "女", **given)) is shown
    assert not is_shown(None)


def test_few_cases_are_warned_of() -> None:
    judgement = judged(row("v2", "all", "全体"), row("v3", "all", "全体", caution_label="事案が少ない：区間を見る"))
    assert cautions(judgement, "abuse") == ["事案が少ない：区間を見る"]
    assert cases_of(judgement, "abuse") == (90, 7)
    assert cases_of(judgement, "poverty") == (0, 0)
