"""Staging: types, codes and keys, and values that cannot be right."""

from __future__ import annotations

from expectations.suites.building import BLOCKS, LOOK, expect, no_rows

AS_OF = "(select as_of_on from raw.run_parameters)"

SUITES = {
    "staging.stg_citizens__resident_register": [
        no_rows(
            "resident_numbers_have_fifteen_digits",
            "宛名番号は15桁の数字である",
            LOOK,
            "select line_number from {batch} where not regexp_full_match(atena_no, '[0-9]{{15}}')",
        ),
        expect(
            "one_row_per_resident_number",
            "宛名番号は重複しない",
            BLOCKS,
            "ExpectColumnValuesToBeUnique",
            column="atena_no",
        ),
        expect(
            "birth_dates_are_known",
            "生年月日はほぼすべて分かっている（98%以上）",
            LOOK,
            "ExpectColumnValuesToNotBeNull",
            column="birth_on",
            mostly=0.98,
        ),
        no_rows(
            "birth_dates_are_possible",
            "生年月日は基準日以前で、120年以内である",
            LOOK,
            f"""
            select line_number from {{batch}}
            where birth_on > {AS_OF} or birth_on < {AS_OF} - interval 120 year
            """,
        ),
        no_rows(
            "support_measures_end_after_they_begin",
            "支援措置の終了日は開始日より前ではない",
            LOOK,
            "select line_number from {batch} where support_measure_until < support_measure_from",
        ),
    ],
    "staging.stg_child__council_cases": [
        no_rows(
            "cases_end_after_they_begin",
            "ケースの終結は登録より前ではない",
            LOOK,
            "select line_number from {batch} where closed_on < registered_on",
        ),
    ],
    "staging.stg_child__nursery_attendance": [
        no_rows(
            "absences_fit_the_month",
            "保育所の欠席日数は在籍日数以下で、在籍日数は31日以下である",
            LOOK,
            """
            select line_number from {batch}
            where absent_days > enrolled_days or enrolled_days > 31 or unexcused_absent_days > absent_days
            """,
        ),
    ],
    "staging.stg_education__school_attendance": [
        no_rows(
            "absences_fit_the_month",
            "学校の欠席日数は授業日数以下で、授業日数は31日以下である",
            LOOK,
            "select line_number from {batch} where absent_days > school_days or school_days > 31",
        ),
    ],
    "staging.stg_health__newborn_visits": [
        expect(
            "birth_weights_are_possible",
            "出生体重は300gから7,000gの間である",
            LOOK,
            "ExpectColumnValuesToBeBetween",
            column="birth_weight_g",
            min_value=300,
            max_value=7000,
        ),
        expect(
            "epds_totals_are_possible",
            "EPDS合計は0点から30点の間である",
            LOOK,
            "ExpectColumnValuesToBeBetween",
            column="epds_total",
            min_value=0,
            max_value=30,
        ),
    ],
}
