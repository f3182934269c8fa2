"""By which columns the rows of a few people are looked up in a publication."""

from __future__ import annotations

from kodomo.publication.inputs import people_columns


def test_a_row_with_two_kinds_of_numbers_is_looked_up_by_both() -> None:
    assert people_columns(["school_person_no", "atena_no", "absent_days"]) == ["school_person_no", "atena_no"]


def test_ids_of_people_come_before_numbers() -> None:
    assert people_columns(["person_id", "atena_no"]) == ["person_id"]


def test_records_that_linkage_reads_are_all_kept() -> None:
    assert people_columns(["source_id", "source_key", "atena_no", "full_name"]) == []
