"""What a form takes, and what it tells a person to correct."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from kodomo.access.access import read_access
from kodomo.contract import load_contracts
from kodomo.entries.forms import clean, forms, mistakes
from kodomo.entries.plan import for_family

TODAY = dt.date(2026, 4, 1)
ABSENCE = {"attendance_month": "2026-03", "school_days": "20", "absent_days": "3"}


def mistakes_of(name: str, **typed: str) -> dict[str, str]:
    form = forms()[name]
    return mistakes(form, clean(form, typed), TODAY)


def test_every_page_of_access_that_takes_entries_has_a_form() -> None:
    without = {"assess", "meeting", "children", "child", "start", "leavers", "arrivals", "notices", "area", "model"}
    without |= {"model_approval", "known_cases", "status_checks", "status_check_return", "unclaimed_benefits"}
    without |= {"personal_files"}
    pages = set(read_access().entry_pages) - without
    assert pages <= set(forms())


def test_a_form_that_is_delivered_holds_every_required_column_of_its_contract() -> None:
    for form in forms().values():
        if form.source:
            named = {field.name for field in form.fields} | {form.number, form.person_column}
            required = {column.name for column in load_contracts()[form.source].columns if column.required}
            assert required <= named, form.name


def test_labels_are_those_of_the_contract() -> None:
    assert forms()["school_absence"].field("absent_days").label_ja == "欠席日数"


def test_a_right_entry_has_no_mistake() -> None:
    assert mistakes_of("school_absence", **ABSENCE) == {}
    assert mistakes_of("paper_case", registered_on="1998-03-01", case_class="要保護児童") == {}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("absent_days", "21", "より大きい数"),
        ("absent_days", "-1", "0以上"),
        ("absent_days", "3.5", "整数"),
        ("absent_days", "三", "数字で"),
        ("absent_days", "1e1", "数字で"),
        ("absent_days", "", "入れてください"),
        ("school_days", "40", "31以下"),
        ("attendance_month", "2026-05", "来月以降"),
        ("attendance_month", "2026-13", "年と月"),
        ("attendance_month", "202603", "年と月"),
    ],
)
def test_wrong_value_is_reported_with_what_to_do(field: str, value: str, words: str) -> None:
    mistakes = mistakes_of("school_absence", **{**ABSENCE, field: value})
    assert list(mistakes) == [field]
    assert words in mistakes[field]


@pytest.mark.parametrize("date", ["2026-02-30", "2026/13/01", "20260301", "昨日", "1899-12-31"])
def test_an_impossible_date_is_refused(date: str) -> None:
    assert "registered_on" in mistakes_of("paper_case", registered_on=date, case_class="要保護児童")


def test_dates_have_an_order() -> None:
    mistakes = mistakes_of("paper_case", registered_on="2020-03-01", closed_on="2019-03-01", case_class="要保護児童")
    assert mistakes == {"closed_on": "「登録年月日」より前の日付です。"}


def test_value_outside_the_list_is_refused() -> None:
    assert mistakes_of("paper_case", registered_on="2020-03-01", case_class="その他の区分") == {
        "case_class": "一覧から選んでください。"
    }


def test_a_decision_that_disagrees_needs_its_reason_and_support_its_content() -> None:
    typed = {"meeting_on": "2026-03-30", "decision": "support", "agrees_with_tier": "no"}
    assert set(mistakes_of("decision", **typed)) == {
        "disagreement_reason",
        "support_content",
        "lead_agency",
        "review_on",
    }
    assert mistakes_of("decision", meeting_on="2026-03-30", decision="none", agrees_with_tier="yes") == {}


def test_full_width_digits_and_slashes_are_read() -> None:
    form = forms()["school_absence"]
    content = clean(form, {**ABSENCE, "attendance_month": "２０２６/０３", "absent_days": "３"})
    assert content["attendance_month"] == "2026-03"
    assert content["absent_days"] == "3"


def test_fields_that_a_form_does_not_have_are_left_out() -> None:
    form = forms()["paper_case"]
    assert "case_no" not in clean(form, {"case_no": "1", "child_atena_no": "2", "registered_on": "2020-01-01"})


def test_control_characters_and_endless_texts_are_refused() -> None:
    assert "summary" in mistakes_of(
        "school_consultation", occurred_on="2026-03-01", incident_type="SSW", summary="a\x1bb"
    )
    assert "summary" in mistakes_of(
        "school_consultation", occurred_on="2026-03-01", incident_type="SSW", summary="あ" * 2001
    )


def test_values_are_shown_as_people_write_them() -> None:
    content = {"requested_on": "2026-04-01", "request": "deletion", "about": "出欠"}
    assert forms()["person_request"].shown(content) == [
        ("請求日", "2026年4月1日"), ("請求の種類", "削除・利用停止"), ("内容", "出欠")
    ]  # fmt: skip
    assert ("年月", "2026年3月") in forms()["school_absence"].shown(ABSENCE)


def test_fault_of_one_field_hides_no_fault_of_another() -> None:
    mistakes = mistakes_of("support", started_on="2026-04-02", ended_on="2026-02-30", outcome="不明")
    assert set(mistakes) == {"started_on", "ended_on", "support_content", "lead_agency", "outcome"}
    assert mistakes["outcome"] == "一覧から選んでください。"


def test_page_with_other_choices_takes_those() -> None:
    form = forms()["decision"]
    fields = tuple(
        dataclasses.replace(entry, choices={"x": "X"}) if entry.name == "disagreement_item" else entry
        for entry in form.fields
    )
    other = dataclasses.replace(form, fields=fields)
    assert "disagreement_item" not in mistakes(other, {"disagreement_item": "x"}, TODAY)
    assert mistakes(other, {"disagreement_item": "y"}, TODAY)["disagreement_item"] == "一覧から選んでください。"


PLAN = {"planned_on": "2026-03-20", "goal": "朝ごはんを食べて学校に行く", "review_on": "2026-06-20"}
STEP = {"step_1_action": "朝に電話する", "step_1_actor": "担任", "step_1_until": "2026-05-31"}


def test_row_of_a_table_is_whole_or_empty() -> None:
    assert mistakes_of("support_plan", **PLAN, **STEP) == {}
    assert set(mistakes_of("support_plan", **PLAN)) == {"step_1_action"}
    second = {"step_2_action": "訪問する", "step_2_until": "2026-03-19"}
    assert mistakes_of("support_plan", **PLAN, **STEP, **second) == {
        "step_2_actor": "「取り組み2：だれが」を入れてください。",
        "step_2_until": "「作った日」より前の日付です。",
    }
    assert mistakes_of("support_plan", **PLAN, **STEP, step_3_actor="祖母") == {
        "step_3_actor": "「取り組み3：すること」を入れてください。"
    }


def test_words_of_a_table_are_words_of_the_author() -> None:
    shown = forms()["support_plan"].shown({**PLAN, **STEP, "staff_notes": "避難先"}, with_words=False)
    assert [label for label, _ in shown] == ["作った日", "取り組み1：いつまでに", "見直しの日"]


def test_table_is_laid_out_by_rows() -> None:
    tables = [part for part in forms()["support_plan"].layout() if isinstance(part, tuple)]
    assert [(label, len(rows), {len(row) for row in rows}) for label, rows in tables] == [("取り組み", 6, {3})]


def test_family_has_the_plan_without_what_is_for_staff() -> None:
    content = {**PLAN, **STEP, "step_3_action": "訪問する", "step_3_actor": "保健師", "step_3_until": "2026-06-01"}
    plan = for_family({**content, "staff_notes": "秘密", "evaluation": "秘密"})
    assert [(step.action, step.actor, step.until) for step in plan.steps] == [
        ("朝に電話する", "担任", dt.date(2026, 5, 31)),
        ("訪問する", "保健師", dt.date(2026, 6, 1)),
    ]
    assert plan.review_on == dt.date(2026, 6, 20)
    assert "秘密" not in repr(plan)


def test_a_call_shows_no_child() -> None:
    visit = {"visited_on": "2026-04-01", "result": "会えた"}
    assert mistakes_of("visit", way="訪問", **visit) == {}
    assert mistakes_of("visit", way="電話", **visit) == {"result": "「方法」が訪問・面談のときだけ選べます。"}
    assert mistakes_of("visit", way="電話", visited_on="2026-04-01", result="会えなかった") == {}
    assert set(mistakes_of("visit", **visit)) == {"way", "result"}


def test_free_text_of_every_form_is_withheld_with_the_words_of_its_author() -> None:
    for form in forms().values():
        free = [field.name for field in form.fields if field.type == "text" and not field.choices]
        content = dict.fromkeys((field.name for field in form.fields), "2026-04-01")
        withheld = {label for label, _ in form.shown(content)} - {
            label for label, _ in form.shown(content, with_words=False)
        }
        assert withheld == {form.field(name).label_ja for name in free}, form.name
    assert "handed_to" in [field.name for field in forms()["handover"].fields if field.is_words]
