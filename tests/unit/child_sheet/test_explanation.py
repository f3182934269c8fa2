"""理由の説明: a family reads of its own records in plain words, and of no other person's."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from kodomo.child_sheet.explanation import explain, plain_words
from kodomo.seeds import read_seed

CHILD, MOTHER, FATHER = "child", "mother", "father"


def item(code: str, **more: Any) -> dict[str, Any]:
    return {"item_code": code, "is_active_version": True, "is_counted": True, "coefficient": Decimal(2), **more}


def fact(code: str, person: str, on: str = "2026-03-01", **more: Any) -> dict[str, Any]:
    return {
        "item_code": "i", "observation_code": code, "fact_person_id": person, "observed_on": dt.date.fromisoformat(on),
        "holder_label": "教育委員会", "protection": "none", **more,
    }  # fmt: skip


def explained(
    reader: str, *facts: dict[str, Any], items: list[dict[str, Any]] | None = None
) -> list[tuple[bool, str, str]]:
    tables = {"bi_contribution": items or [item("i")], "bi_item_fact": list(facts)}
    return [(one.is_of_child, one.words, one.when) for one in explain(tables, CHILD, reader)]


ABSENT = "学校を休んだ日数"


def test_records_of_the_child_are_explained_once_with_first_and_last_day() -> None:
    facts = [fact("school_absence_days", CHILD, on) for on in ("2026-03-01", "2025-11-01", "2026-01-01")]
    assert explained(MOTHER, *facts) == [(True, ABSENT, "2025年11月1日から2026年3月1日まで")]
    assert explained(CHILD, facts[0]) == [(True, ABSENT, "2026年3月1日")]


def test_record_of_another_person_is_not_explained() -> None:
    facts = [fact("public_assistance", MOTHER), fact("school_absence_days", "sibling")]
    assert explained(MOTHER, *facts) == [(False, "生活保護", "2026年3月1日")]
    assert explained(FATHER, *facts) == []
    assert explained(CHILD, *facts) == []


@pytest.mark.parametrize(
    "code",
    ["abuse_consultation", "consultation", "council_case", "guidance_abuse", "temporary_protection", "dv_consultation",
     "support_measure", "school_consultation", "bullying", "ssw_record", "education_consultation_family",
     "home_visit_reason", "livelihood_consultation"],
)  # fmt: skip
def test_report_or_confidence_is_explained_to_no_reader(code: str) -> None:
    assert code in {row["observation_code"] for row in read_seed("observation_codes")}
    assert explained(MOTHER, fact(code, CHILD), fact(code, MOTHER)) == []


def test_move_of_the_child_is_not_explained_to_a_parent() -> None:
    assert explained(FATHER, fact("household_move", CHILD)) == []


def test_record_that_a_measure_withholds_or_that_counts_for_nothing_is_not_explained() -> None:
    absent = fact("school_absence_days", CHILD)
    assert explained(MOTHER, {**absent, "protection": "withheld"}) == []
    for more in ({"is_active_version": False}, {"is_counted": False}, {"coefficient": Decimal(-1)}):
        assert explained(MOTHER, absent, items=[item("i", **more)]) == [], more


def test_words_are_for_observations_that_exist_and_name_no_points() -> None:
    known = {row["observation_code"] for row in read_seed("observation_codes")}
    for codes in plain_words().values():
        assert set(codes) <= known
        assert not [words for words in codes.values() if "点" in words or "リスク" in words]
