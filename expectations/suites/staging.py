"""Staging: types, codes and keys, and values that cannot be right."""

from __future__ import annotations

from expectations.suites.building import BLOCKS, LOOK, Check, expect, no_rows
from kodomo.parameters import parameter

AS_OF = "(select as_of_on from raw.run_parameters)"


def in_order(label_ja: str, first: str, last: str) -> Check:
    """That no end lies before its beginning: staging has such an end empty, and says so."""
    query = f"select line_number from {{batch}} where is_{last}_before_{first}"
    return no_rows(f"{last}_is_not_before_{first}", label_ja, LOOK, query)


SUITES = {
    "staging.stg_citizens__resident_register": [
        no_rows(
            "resident_numbers_have_fifteen_digits",
            "宛名番号は15桁の数字である",
            LOOK,
            "select line_number from {batch} "
            f"where not regexp_full_match(atena_no, '[0-9]{{{{{parameter('person_number_width')}}}}}')",
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
        in_order("支援措置の終了日は開始日より前ではない", "support_measure_from", "support_measure_until"),
    ],
    "staging.stg_child__council_cases": [
        in_order("ケースの終結は登録より前ではない", "registered_on", "closed_on"),
    ],
    "staging.stg_child__nursery_enrolment": [
        in_order("退所は入所より前ではない", "entered_on", "left_on"),
    ],
    "staging.stg_citizens__national_health_insurance": [
        in_order("資格喪失は取得より前ではない", "qualified_on", "disqualified_on"),
    ],
    "staging.stg_education__school_enrolment": [
        in_order("在籍終了は在籍開始より前ではない", "enrolled_on", "left_on"),
    ],
    "staging.stg_elderly__care_certifications": [
        in_order("認定の有効終了は有効開始より前ではない", "valid_from", "valid_to"),
    ],
    "staging.stg_guidance_centre__guidance_centre_cases": [
        in_order("一時保護の終了は開始より前ではない", "protection_started_on", "protection_ended_on"),
    ],
    "staging.stg_social_council__social_council_services": [
        no_rows(
            "used_on_is_not_before_birth_on",
            "利用日は生年月日より前ではない",
            LOOK,
            "select line_number from {batch} where used_on < birth_on",
        ),
    ],
    "staging.stg_welfare__disability_certificates": [
        in_order("手帳の返還は交付より前ではない", "issued_on", "returned_on"),
    ],
    "staging.stg_welfare__public_assistance": [
        in_order("生活保護の廃止は開始より前ではない", "started_on", "ended_on"),
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
