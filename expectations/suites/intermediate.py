"""Intermediate: people and families hang together, and are plausible."""

from __future__ import annotations

from expectations.suites.building import BLOCKS, LOOK, NOTE, no_rows

SUITES = {
    "intermediate.int_family__links": [
        no_rows(
            "links_are_between_people",
            "家族関係の両端は、人の一覧にある",
            BLOCKS,
            """
            select from_person_id, to_person_id from {batch}
            where
                from_person_id not in (select person_id from intermediate.int_person__persons)
                or to_person_id not in (select person_id from intermediate.int_person__persons)
            """,
        ),
        no_rows(
            "nobody_is_related_to_themselves",
            "自分自身との家族関係はない",
            BLOCKS,
            "select from_person_id from {batch} where from_person_id = to_person_id",
        ),
        no_rows(
            "mothers_are_12_to_55_years_older",
            "母は子より12歳から55歳年上である（養子を除く）",
            LOOK,
            """
            select links.from_person_id, links.to_person_id
            from {batch} as links
            inner join intermediate.int_person__persons as mothers on links.from_person_id = mothers.person_id
            inner join intermediate.int_person__persons as children on links.to_person_id = children.person_id
            where
                links.link_type = 'parent_of'
                and links.link_kind = 'biological'
                and mothers.sex = '女'
                and date_diff('month', mothers.birth_on, children.birth_on) not between 12 * 12 and 55 * 12 + 11
            """,
        ),
        no_rows(
            "fathers_are_12_to_80_years_older",
            "父は子より12歳から80歳年上である（養子を除く）",
            LOOK,
            """
            select links.from_person_id, links.to_person_id
            from {batch} as links
            inner join intermediate.int_person__persons as fathers on links.from_person_id = fathers.person_id
            inner join intermediate.int_person__persons as children on links.to_person_id = children.person_id
            where
                links.link_type = 'parent_of'
                and links.link_kind = 'biological'
                and fathers.sex = '男'
                and date_diff('month', fathers.birth_on, children.birth_on) not between 12 * 12 and 80 * 12 + 11
            """,
        ),
    ],
    "intermediate.int_family__cases": [
        no_rows(
            "no_case_before_birth",
            "生まれる前の子どものケースはない",
            LOOK,
            """
            select cases.delivery_id, cases.line_number
            from {batch} as cases
            inner join intermediate.int_person__persons as persons on cases.person_id = persons.person_id
            where cases.case_on < persons.birth_on
            """,
        ),
    ],
    "intermediate.int_household__members_as_of": [
        no_rows(
            "one_household_per_person",
            "基準日に一人が二つの世帯に属することはない",
            BLOCKS,
            "select person_id from {batch} group by person_id having count(*) > 1",
        ),
        no_rows(
            "large_households_are_institutions",
            "20人を超える世帯（施設など）を確認する",
            NOTE,
            "select household_id from {batch} group by household_id having count(*) > 20",
        ),
    ],
    "intermediate.int_quality__unknown_codes": [
        no_rows(
            "codes_are_in_their_lists",
            "今回の納品に、コード表にないコードはない",
            LOOK,
            """
            select unknown_codes.delivery_id, unknown_codes.column_name
            from {batch} as unknown_codes
            inner join raw.deliveries as deliveries on unknown_codes.delivery_id = deliveries.delivery_id
            where deliveries.run_id = (select run_id from raw.run_parameters)
            """,
        ),
    ],
    "intermediate.int_quality__unknown_numbers": [
        no_rows(
            "numbers_are_of_known_people",
            "今回の納品に、住民基本台帳にない宛名番号や、名簿にない番号の記録はない",
            LOOK,
            """
            select unknown_numbers.delivery_id, unknown_numbers.line_number
            from {batch} as unknown_numbers
            inner join raw.deliveries as deliveries on unknown_numbers.delivery_id = deliveries.delivery_id
            where deliveries.run_id = (select run_id from raw.run_parameters)
            """,
        ),
    ],
}
