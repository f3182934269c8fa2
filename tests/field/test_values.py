"""Values: what stands for nothing, numbers of people, dates and units as real files write them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from tests.field.running import Outcome, RunCase, landing, resident

pytestmark = pytest.mark.slow
REGISTERED_ON = dt.date(2025, 4, 10)


def test_null_is_no_father(field: RunCase) -> None:
    outcome = field("01-null-is-no-father")
    assert outcome.rows("select count(*) from marts.fct_chain where chain_type = 'horizontal'") == [(0,)]
    links = outcome.rows("select from_person_id from marts.fct_family_link where link_type = 'parent_of'")
    assert sorted(links) == [("000000000160001",), ("000000000160002",)]
    assert outcome.rows("select count(*) from marts.dim_person") == [(4,)]
    assert outcome.rejects("parentage") == outcome.value_issues("parentage") == []


def test_number_that_a_tool_rewrote_is_the_same_person(field: RunCase) -> None:
    outcome = field("04-numbers-that-tools-rewrote")
    for girl in ("120001", "120002", "120003", "120004"):
        assert outcome.observations(girl, "council_case") == [(REGISTERED_ON, None, None)]
        assert outcome.is_known_to_services(girl) is True
    assert outcome.rows("select count(*) from marts.dim_person") == [(8,)]


def test_unknown_number_is_a_question(field: RunCase) -> None:
    outcome = field("06-number-of-nobody")
    assert outcome.rows("select count(*) from marts.dim_person") == [(2,)]
    assert outcome.rows("select count(*) from marts.fct_observation where source_id = 'council_cases'") == [(0,)]
    assert outcome.rows(
        "select source_id, question_label, heading, detail_label, row_count from marts.bi_steward_question "
        "where question = 'orphan'"
    ) == [("council_cases", "番号の不明な記録", "児童_宛名番号", "住民基本台帳にない番号", 1)]
    assert outcome.rows(
        "select fate, reason, row_count from marts.fct_fact_account where source_id = 'council_cases'"
    ) == [("asked", "orphan", 1)]
    assert "numbers_are_of_known_people" in outcome.failed_expectations
    assert not [result for result in outcome.expectations if result.is_blocking]


def test_pupil_number_without_its_zeros_is_the_pupils(field: RunCase) -> None:
    outcome = field("07-pupil-numbers-lost-their-zeros")
    months = [dt.date(2025, 10, 31), dt.date(2025, 11, 30), dt.date(2025, 12, 31)]
    for pupil in ("130001", "130002"):
        assert outcome.observations(pupil, "school_absence_days") == [(month, None, Decimal(15)) for month in months]
        assert outcome.observations(pupil, "school_absence_rate") == [(month, None, Decimal(75)) for month in months]


def test_smallest_date_of_a_program_is_no_end(field: RunCase) -> None:
    outcome = field("16-end-before-time-began")
    for child in ("170001", "170002", "170003", "170004"):
        assert outcome.observations(child, "council_case") == [(REGISTERED_ON, None, None)]
        assert outcome.is_known_to_services(child) is True


@pytest.mark.parametrize("as_of_on", [dt.date(2026, 3, 31), dt.date(2026, 4, 1)])
def test_moment_is_the_day_in_japan(field: RunCase, as_of_on: dt.date) -> None:
    outcome = field("17-midnight-in-tokyo", as_of_on=as_of_on)
    born = dict(outcome.rows("select atena_no, birth_on from marts.dim_person"))
    assert born["000000000180001"] == dt.date(2016, 12, 12)
    assert born["000000000180002"] == dt.date(2008, 4, 1)
    is_child = outcome.is_known_to_services("180002") is not None
    assert is_child == (as_of_on == dt.date(2026, 3, 31))


def test_unit_decides(field: RunCase) -> None:
    outcome = field("19-three-kilograms")
    weights = [outcome.observations(child, "birth_weight")[0][2] for child in ("190001", "190002", "190003")]
    assert weights == [3000, 3000, 2980]


def test_present_row_holds_in_whatever_order(field: RunCase) -> None:
    outcome = field("27-came-back-to-the-city")
    assert outcome.rows("select is_resident from marts.dim_person where atena_no = '000000000220001'") == [(True,)]
    assert outcome.is_known_to_services("220001") is False
    assert outcome.rows(
        "select fate, reason, row_count from marts.fct_fact_account where source_id = 'resident_register' order by all"
    ) == [("explained", "superseded", 1), ("used", "person", 2)]


WORDS = [
    "null", "\\N", "NaN", "None", "N/A", "-", "－", "―", "ー", "不明", "なし", "該当なし", "無", "*", "…",
    "999999999999999", "０００", "\ufeff", "\u200b", "　",
]  # fmt: skip


def neighbours(folder: Path) -> Path:
    """One family per slip: what a number, a date or a count may look like in a real file."""
    register, births, cases, visits = [], [], [], []
    for number, word in enumerate(WORDS):
        child, mother = f"{310001 + number}", f"{360001 + number}"
        register += [
            resident(mother, f"{910001 + number}", f"山田 母{number}", "S63.7.7", 性別="2", 続柄コード1="02"),
            resident(child, f"{910001 + number}", f"山田 子{number}", "R1.6.6"),
        ]
        births.append(birth(f"D{number}", child, word, mother))
    # Of a number that is required, a word for nothing is a reject, and what is no number at all is one too.
    births += [
        birth("E1", "NULL", "", "360001"),
        birth("E2", "不明", "", "360001"),
        birth("E3", "別紙参照", "", "360001"),
    ]
    # Of one that is not, what is no number is an issue; an unknown number makes neither parent nor person.
    births += [birth("F1", "310001", "別紙参照", ""), birth("F2", "310002", "777777", "")]
    cases = [
        case("K1", "310001\u200b", "H31.4.1", "平成33年3月31日"),
        case("K2", "No.310002", "R7.4.10", "R7.4.9"),
        case("K3", "３１０,００３．０", "2025-04-09T15:00:00Z", "2999/12/31"),
        case("K4", '="310004"', "R7・4・10", "平成元年1月7日"),
        case("K5", "310005", "1900/01/01", ""),
        case("K6", "00310006", "令和7年4月10日(木)", "NULL"),
    ]
    visits = [
        visit("310007", "360007", "3.2kg", "39週", "R1.7.1", "12点"),
        visit("310008", "360008", "50cm", "39", "R1.7.1", "41"),
        visit("310009", "360009", "-", "なし", "R1.7.1", "NULL"),
        visit("310010", "777777", "299", "46", "R1.7.1", ""),
    ]
    return landing(folder, resident_register=register, parentage=births, council_cases=cases, newborn_visits=visits)


def birth(notice: str, child: str, father: str, mother: str) -> dict[str, str]:
    return {
        "届出番号": notice, "子_宛名番号": child, "父_宛名番号": father, "母_宛名番号": mother, "届出種別": "出生",
        "届出年月日": "R3.1.10",
    }  # fmt: skip


def case(number: str, child: str, registered_on: str, closed_on: str) -> dict[str, str]:
    return {
        "ケース番号": number, "児童_宛名番号": child, "登録年月日": registered_on, "終結年月日": closed_on,
        "区分": "要保護", "虐待種別": "身体的",
    }  # fmt: skip


def visit(child: str, mother: str, weight: str, weeks: str, visited_on: str, epds: str) -> dict[str, str]:
    return {
        "児童_宛名番号": child, "母_宛名番号": mother, "出生体重": weight, "在胎週数": weeks, "訪問年月日": visited_on,
        "EPDS合計": epds,
    }  # fmt: skip


@pytest.fixture(scope="module")
def slips(field: RunCase, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The neighbours, run once."""
    return field("slips-of-values", neighbours(tmp_path_factory.mktemp("slips")))


def test_word_for_nothing_is_no_parent(slips: Outcome) -> None:
    assert slips.rows("select count(*) from marts.dim_person") == [(2 * len(WORDS),)]
    assert slips.rows("select count(*) from marts.dim_person where atena_no is null") == [(0,)]
    assert slips.rows("select count(*) from marts.fct_chain where chain_type = 'horizontal'") == [(0,)]
    parents = slips.rows("select distinct from_person_id from marts.fct_family_link where link_type = 'parent_of'")
    assert sorted(parents) == [(f"{360001 + number:015}",) for number in range(len(WORDS))]


def test_number_that_is_none_rejects_where_it_is_required_and_is_an_issue_elsewhere(slips: Outcome) -> None:
    first = len(WORDS) + 2
    assert slips.rejects("parentage") == [
        (first, "missing_required", "子_宛名番号"),
        (first + 1, "missing_required", "子_宛名番号"),
        (first + 2, "damaged_id", "子_宛名番号"),
    ]
    assert slips.value_issues("parentage") == [(first + 3, "father_atena_no", "damaged_id")]
    orphans = slips.rows(
        "select source_id, column_name, row_count from marts.fct_steward_question "
        "where question = 'orphan' order by all"
    )
    assert orphans == [("newborn_visits", "mother_atena_no", 1), ("parentage", "father_atena_no", 1)]


def test_ends_and_dates_of_real_files(slips: Outcome) -> None:
    began = dt.date(2025, 4, 10)
    assert slips.observations("310001", "council_case") == [(dt.date(2019, 4, 1), dt.date(2021, 3, 31), None)]
    for child in ("310002", "310003", "310004", "310006"):
        assert slips.observations(child, "council_case") == [(began, None, None)]
        assert slips.is_known_to_services(child) is True
    assert slips.is_known_to_services("310001") is False
    assert slips.rejects("council_cases") == [(6, "missing_required", "登録年月日")]
    assert slips.value_issues("council_cases") == [
        (2, "closed_on", "interpreted_date"),
        (5, "closed_on", "impossible_date"),
    ]
    listed = slips.rows(
        "select question_label, heading, detail_label, row_count from marts.bi_steward_question "
        "where source_id = 'council_cases' and question = 'interpreted_date' order by all"
    )
    assert listed == [
        ("解釈した日付", "終結年月日", "始まりより前の終わりを、終わりなしとした", 1),
        ("解釈した日付", "終結年月日", "終わった元号の年を、続いた年として読んだ", 1),
    ]


def test_units_and_what_no_column_can_hold(slips: Outcome) -> None:
    assert [row[2] for row in slips.observations("310007", "birth_weight")] == [3200]
    assert [row[2] for row in slips.observations("310007", "epds_total")] == [12]
    for child in ("310008", "310009", "310010"):
        assert slips.observations(child, "birth_weight") == slips.observations(child, "epds_total") == []
    assert slips.value_issues("newborn_visits") == [
        (3, "birth_weight_g", "not_a_number"),
        (3, "epds_total", "implausible_value"),
        (5, "birth_weight_g", "implausible_value"),
        (5, "gestation_weeks", "implausible_value"),
    ]


def test_every_row_of_a_slip_is_accounted_for(slips: Outcome) -> None:
    assert slips.rows("select count(*) from marts.fct_fact_account where fate = 'vanished'") == [(0,)]
    for source_id in ("resident_register", "parentage", "council_cases", "newborn_visits"):
        rows_loaded = slips.delivery(source_id)["rows_loaded"]
        assert slips.rows(
            "select sum(row_count)::bigint from marts.fct_fact_account where source_id = ?", [source_id]
        ) == [(rows_loaded,)]
    assert not [result for result in slips.expectations if result.is_blocking]
