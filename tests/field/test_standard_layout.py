"""A register of a standardised system, its support measures, and records of schools that carry the 宛名番号."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from tests.field.running import Outcome, RunCase, landing

HEADINGS = (
    (Path(__file__).parents[1] / "unit" / "ingest" / "resident_register_standard.headings.txt")
    .read_text(encoding="utf-8")
    .split()
)


def row(number: str, history: str, household: str, name: str, birth_on: str, moved_on: str, **other: str) -> dict:
    """A row in force of a resident since that day, of 両津夷, the head of the household."""
    return {
        "宛名番号": number,
        "個人履歴番号": history,
        "個人履歴番号_枝番号": "0",
        "最新フラグ": "1",
        "世帯番号": household,
        "住民種別": "1",
        "住民状態": "1",
        "住民票コード": "12345678901",
        "氏名": name,
        "性別": "1",
        "生年月日": birth_on,
        "続柄コード1": "02",
        "住所_都道府県": "新潟県",
        "住所_市区郡町村名": "佐渡市",
        "住所_町字": "両津夷",
        "住所_番地号表記": "3番地",
        "異動年月日": moved_on,
        "異動事由": "10",
        "住民となった年月日": moved_on,
        "除票フラグ": "0",
        "削除フラグ": "0",
        **other,
    }


OLD = {"最新フラグ": "0"}
ROWS = [
    row("101", "3", "903", "山田 花子", "60.5.5", "2020-04-01", 性別="2", 異動事由="16", 生年月日_元号="3"),
    row("103", "1", "904", "消 太郎", "1990-01-01", "1990-01-01", 削除フラグ="1"),
    row("101", "1", "901", "佐藤 花子", "1985-05-05", "1985-05-05", 性別="2", 続柄コード1="20", 異動事由="11", **OLD),
    row("104", "2", "906", "鈴木 次郎", "1980-01-01", "2024-01-01", 住所_町字="小木町", 削除フラグ="1"),
    row("102", "1", "903", "山田 一郎", "2015-04-02", "2015-04-02", 続柄コード1="20", 異動事由="11"),
    row(
        "105", "2", "907", "去 三郎", "1970-01-01", "2025-10-01", 除票フラグ="1", 消除の事由="20",
        **{"消除の異動年月日": "2025-10-01", "転出先住所（確定）_町字": "新潟県新潟市中央区古町通1-1"},
    ),
    row("104", "1", "905", "鈴木 次郎", "1980-01-01", "1980-01-01", 住所_町字="河原田本町", 異動事由="11", **OLD),
    row("101", "2", "902", "山田 花子", "1985-05-05", "2010-06-01", 性別="2", 続柄コード1="12", **OLD),
    row(
        "106", "1", "903", "", "2014-07-07", "2022-03-03", 性別="2", 続柄コード1="20", 住民種別="2",
        氏名_外国人ローマ字="NGUYEN THI AN", 転入前住所_都道府県="東京都", 転入前住所_市区郡町村名="江戸川区",
    ),
    row("105", "1", "907", "去 三郎", "1970-01-01", "1970-01-01", 異動事由="11", **OLD),
    row("107", "1", "908", "守 四郎", "1975-01-01", "1975-01-01", 転入前住所_都道府県="東京都"),
    row("108", "1", "", "届 五郎", "1975-01-01", "1975-01-01"),
]  # fmt: skip
PUPILS = [
    "学籍番号,氏名,氏名_フリガナ,生年月日,性別,住所,保護者氏名,学校名,学年,在籍開始,在籍終了,識別番号,保護者識別番号",
    "S1,山田 一郎,,2015-04-02,,,山田 花子,両津小学校,,2022-04-01,,102,101",
    "S2,グエン アン,,2014-07-07,,,鈴木 次郎,両津小学校,,2022-04-01,,'106,No.104",
    "S3,鈴木 五郎,,2012-01-01,,,,両津小学校,,2022-04-01,,104,101",
    "S4,消 太郎,,2013-01-01,,,,両津小学校,,2022-04-01,,103,なし",
    "S5,宙 太郎,,2013-02-02,,,宙 花子,両津小学校,,2022-04-01,,,888",
]
"""The roster in the layout of the national standard: 識別番号 and 保護者識別番号 are 宛名番号."""
MEASURES = [
    {"宛名番号": "107", "開始年月日": "2025-01-01", "最新フラグ": "1", "履歴番号": "2", "削除フラグ": "0"},
    {"宛名番号": "104", "区分": "配偶者暴力", "開始年月日": "2025-01-01", "最新フラグ": "1", "削除フラグ": "1"},
    {"宛名番号": "107", "区分": "配偶者暴力", "開始年月日": "R7.2.1", "最新フラグ": "1", "削除フラグ": "0"},
]


@pytest.fixture(scope="module")
def outcome(field: RunCase, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    lines = [HEADINGS, *([one.get(heading, "") for heading in HEADINGS] for one in ROWS)]
    delivered = landing(
        tmp_path_factory.mktemp("standard"),
        resident_register="".join(",".join(line) + "\r\n" for line in lines).encode("cp932"),
        support_measures=MEASURES,
        school_enrolment="".join(f"{pupil}\r\n" for pupil in PUPILS).encode("cp932"),
        school_attendance=[{"学籍番号": "S9", "宛名番号": "106", "年月": "2026-02", "授業日数": "20", "欠席日数": "5"}],
    )
    return field("standard-layout", delivered)


def test_every_row_is_loaded_or_rejected_in_the_layout(outcome: Outcome) -> None:
    delivery = outcome.delivery("resident_register")
    assert (delivery["layout"], delivery["rows_read"], delivery["rows_loaded"]) == ("standard", 12, 11)
    assert outcome.rejects("resident_register") == [(13, "missing_required", "世帯番号")]
    assert outcome.rows("select * from raw.unknown_headings") == []


def test_the_right_people_live_in_the_right_households_and_areas(outcome: Outcome) -> None:
    residents = outcome.rows(
        "select ltrim(atena_no, '0'), display_name, ltrim(household_id, '0'), area_code, is_resident, moved_from, "
        "moved_to, is_dv_protected from marts.dim_person where atena_no is not null order by 1"
    )
    assert residents == [
        ("101", "山田 花子", "903", "ryotsu", True, None, None, False),
        ("102", "山田 一郎", "903", "ryotsu", True, None, None, False),
        ("104", "鈴木 次郎", "905", "sawata", True, None, None, False),
        ("105", "去 三郎", None, "ryotsu", False, None, "新潟県新潟市中央区古町通1-1", False),
        ("106", "NGUYEN THI AN", "903", "ryotsu", True, "東京都江戸川区", None, False),
        ("107", "守 四郎", "908", "ryotsu", True, None, None, True),
    ]


def test_history_rows_make_the_households_over_time(outcome: Outcome) -> None:
    spells = outcome.rows(
        "select ltrim(household_id, '0'), relation_chain, valid_from, valid_to from intermediate.int_household__spells "
        "where person_id = ? order by valid_from",
        [outcome.person_id("101")],
    )
    assert spells == [
        ("901", "20", dt.date(1985, 5, 5), dt.date(2010, 6, 1)),
        ("902", "12", dt.date(2010, 6, 1), dt.date(2020, 4, 1)),
        ("903", "02", dt.date(2020, 4, 1), None),
    ]
    assert {
        (ltrim(parent), ltrim(child))
        for parent, child in outcome.rows(
            "select from_person_id, to_person_id from marts.fct_family_link where link_type = 'parent_of'"
        )
    } == {("101", "102"), ("101", "106"), ("104", "106")}


def test_guardian_is_linked_by_number_where_the_row_describes_the_child(outcome: Outcome) -> None:
    """Of a row with the number of another person, and of a number that no person has, no family follows."""
    of_guardians = outcome.rows(
        "select ltrim(from_person_id, '0'), ltrim(to_person_id, '0'), confidence from marts.fct_family_link "
        "where origin = '学齢簿'"
    )
    assert of_guardians == [("104", "106", Decimal("0.5"))]
    assert outcome.rows(
        "select column_name, detail, row_count from marts.fct_steward_question "
        "where question = 'orphan' and source_id = 'school_enrolment' order by all"
    ) == [("atena_no", "not_in_register", 1), ("guardian_atena_no", "not_in_register", 1)]
    fates = outcome.rows(
        "select fate, sum(row_count) from marts.fct_fact_account where source_id = 'school_enrolment' group by all"
    )
    assert sum(rows for _, rows in fates) == len(PUPILS) - 1


def test_number_whose_every_row_was_withdrawn_is_no_person_and_on_record(outcome: Outcome) -> None:
    assert outcome.person_id("103") is None
    assert outcome.rows(
        "select change, to_person_id from marts.fct_identity_change where ltrim(source_key, '0') = '103'"
    ) == [("gone", None)]


def test_carried_number_links_unless_it_describes_another_person(outcome: Outcome) -> None:
    links = outcome.rows(
        "select source_key, ltrim(person_id, '0'), method, status from marts.fct_link_decision order by source_key"
    )
    assert links == [
        ("S1", "102", "number", "linked"),
        ("S2", "106", "number", "linked"),
        ("S3", "104", "number", "review"),
        ("S4", None, "none", "unlinked"),
        ("S5", None, "none", "unlinked"),
    ]
    assert outcome.observations("106", "school_absence_days") == [(dt.date(2026, 2, 28), None, 5)]


def ltrim(person_id: str) -> str:
    """A number of the register without its zeros."""
    return person_id.lstrip("0")


def test_measure_of_an_extract_of_its_own_is_observed_where_it_has_a_class(outcome: Outcome) -> None:
    measures = outcome.rows(
        "select person_id, observed_on, ended_on, text_value, source_id from marts.fct_observation "
        "where observation_code = 'support_measure'"
    )
    day = dt.date(2025, 2, 1)
    assert measures == [(outcome.person_id("107"), day, None, "配偶者暴力（DV）", "support_measures")]
