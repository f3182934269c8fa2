"""Who people are over time: numbers that change, children that are born, decisions that are made and taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from tests.unit.models.family_warehouse import FamilyWarehouse, Row

AS_OF = dt.date(2026, 4, 1)
MOTHER, CHILD, TWIN = "000000000000009", "000000000000003", "000000000000004"
FIRST, SECOND, THIRD, FOURTH = (f"00000000000010{place}" for place in range(1, 5))


@pytest.fixture
def warehouse(models: list[tuple[str, str, str]]) -> FamilyWarehouse:
    """An empty warehouse on the as-of date."""
    return FamilyWarehouse(models, AS_OF)


NUMBERS = ("int_person__atena",)
CHILDREN = ("int_person__subjects", "int_person__identities", "int_family__parents")
RECORDS = ("int_identity__decisions", "int_person__persons")


def resident(number: str, name: str = "本間 花子", kana: str = "ホンマ ハナコ", **changes: object) -> Row:
    """An entry of the register."""
    return {
        "atena_no": number,
        "household_no": f"{number}-h",
        "full_name": name,
        "full_name_kana": kana,
        "birth_on": dt.date(1990, 5, 5),
        "sex_code": "2",
        "resident_status_code": "1",
        "move_reason_code": "11",
        "resident_since_on": dt.date(1990, 5, 5),
        "moved_on": dt.date(1990, 5, 5),
        "town": "両津夷",
        "street_number": number[-3:],
        **changes,
    }


def moved_away(number: str, since: int, until: int) -> Row:
    """A number that began and ended in the given years."""
    return resident(
        number,
        resident_since_on=dt.date(since, 4, 1),
        resident_status_code="2",
        move_reason_code="20",
        moved_on=dt.date(until, 4, 1),
    )


def came_back(number: str, since: int) -> Row:
    """The number under which a person came back."""
    return resident(
        number, resident_since_on=dt.date(since, 4, 1), move_reason_code="10", moved_on=dt.date(since, 4, 1)
    )


def people(warehouse: FamilyWarehouse) -> dict[str, str]:
    """Number → person."""
    return dict(warehouse.rows("select atena_no, person_id from intermediate.int_person__atena"))


def merges(warehouse: FamilyWarehouse) -> dict[str, tuple[str, str]]:
    """Later number → (person, status)."""
    return {
        row[0]: (row[1], row[2])
        for row in warehouse.rows("select atena_no, person_id, status from intermediate.int_person__merges")
    }


def same(number: str, other: str | None, decision: str = "link") -> Row:
    """A decision about two numbers."""
    return {"source_id": "resident_register", "source_key": number, "decision": decision, "person_id": other}


def test_person_who_returned_under_a_new_number_is_one_person(warehouse: FamilyWarehouse) -> None:
    warehouse.stage("resident_register", [moved_away(FIRST, 1990, 2010), came_back(SECOND, 2015)])
    warehouse.stage("council_cases", [{"case_no": "1", "child_atena_no": FIRST, "registered_on": dt.date(2000, 1, 1)}])
    warehouse.build()
    assert people(warehouse) == {FIRST: FIRST, SECOND: FIRST}
    # One person, who lives here today, with the case of the earlier number.
    assert warehouse.rows("select person_id, atena_no, is_resident from intermediate.int_person__persons") == [
        (FIRST, SECOND, True)
    ]
    assert warehouse.rows("select person_id from intermediate.int_family__cases") == [(FIRST,)]


@pytest.mark.parametrize(
    "changes",
    [
        {"birth_on": dt.date(1990, 5, 6)},
        {"sex_code": "1"},
        {"full_name_kana": "ホンマ ハナ", "full_name_kana_match": "ホンマハナ"},
        # Lived here before the other had left.
        {"resident_since_on": dt.date(2009, 1, 1)},
    ],
)
def test_different_people_are_not_merged(warehouse: FamilyWarehouse, changes: Row) -> None:
    warehouse.stage("resident_register", [moved_away(FIRST, 1990, 2010), {**came_back(SECOND, 2015), **changes}])
    warehouse.build(only=NUMBERS)
    assert people(warehouse) == {FIRST: FIRST, SECOND: SECOND}


def test_two_who_may_be_the_one_who_left_wait_for_a_person(warehouse: FamilyWarehouse) -> None:
    warehouse.stage(
        "resident_register", [moved_away(FIRST, 1990, 2010), moved_away(SECOND, 1990, 2011), came_back(THIRD, 2015)]
    )
    warehouse.build()
    assert people(warehouse) == {FIRST: FIRST, SECOND: SECOND, THIRD: THIRD}
    assert merges(warehouse) == {THIRD: (FIRST, "review")}
    listed = warehouse.rows(
        "select person_id, other_person_id from intermediate.int_family__contradictions "
        "where kind = 'possibly_one_person'"
    )
    assert listed == [(THIRD, FIRST)]


def test_a_pregnancy_long_over_without_a_child_is_listed(warehouse: FamilyWarehouse) -> None:
    warehouse.stage("resident_register", [moved_away(FIRST, 1990, 2010)])
    warehouse.stage(
        "pregnancy_notifications",
        [
            {
                "notification_no": due_on.isoformat(),
                "mother_atena_no": FIRST,
                "notified_on": due_on - dt.timedelta(days=200),
                "due_on": due_on,
            }
            for due_on in (AS_OF - dt.timedelta(days=22), AS_OF - dt.timedelta(days=21))
        ],
    )
    warehouse.build(only=["int_family__contradictions"])
    assert warehouse.rows(
        "select person_id, other_person_id from intermediate.int_family__contradictions "
        "where kind = 'overdue_pregnancy'"
    ) == [(f"preg-{AS_OF - dt.timedelta(days=22)}", FIRST)]


def test_people_merge_two_numbers_take_it_back_and_the_machine_never_overturns_them(
    warehouse: FamilyWarehouse,
) -> None:
    warehouse.stage("resident_register", [moved_away(FIRST, 1990, 2010), came_back(SECOND, 2015)])
    warehouse.build([same(SECOND, FIRST, "separate")], NUMBERS)
    assert people(warehouse)[SECOND] == SECOND
    warehouse.build(only=NUMBERS)
    assert people(warehouse)[SECOND] == FIRST
    warehouse.clear("resident_register")
    # Another name since a marriage: only people know that the two are one.
    warehouse.stage(
        "resident_register",
        [
            moved_away(FIRST, 1990, 2010),
            {**came_back(SECOND, 2015), "full_name": "渡辺 花子", "full_name_match": "渡辺花子"},
        ],
    )
    warehouse.build(only=NUMBERS)
    assert people(warehouse)[SECOND] == SECOND
    warehouse.build([same(SECOND, FIRST)], NUMBERS)
    assert people(warehouse)[SECOND] == FIRST


def test_four_numbers_of_one_person_are_one_person(warehouse: FamilyWarehouse) -> None:
    warehouse.stage(
        "resident_register", [resident(number, f"本間 {number}") for number in (FIRST, SECOND, THIRD, FOURTH)]
    )
    warehouse.build([same(FOURTH, THIRD), same(THIRD, SECOND), same(SECOND, FIRST)], NUMBERS)
    assert set(people(warehouse).values()) == {FIRST}
    # A circle is one person too, under the smallest number of the two.
    warehouse.build([same(SECOND, FIRST), same(FIRST, SECOND)], NUMBERS)
    assert people(warehouse) == {FIRST: FIRST, SECOND: FIRST, THIRD: THIRD, FOURTH: FOURTH}


def test_number_is_not_merged_into_an_unknown_number(warehouse: FamilyWarehouse) -> None:
    warehouse.stage("resident_register", [resident(FIRST)])
    warehouse.build([same(FIRST, "999999999999999")], NUMBERS)
    assert people(warehouse) == {FIRST: FIRST}


def test_ids_do_not_depend_on_the_order_of_rows_and_survive_a_new_delivery(warehouse: FamilyWarehouse) -> None:
    rows = [moved_away(FIRST, 1990, 2010), came_back(SECOND, 2015), resident(MOTHER, "佐渡 母", "サド ハハ")]
    warehouse.stage("resident_register", rows)
    warehouse.build(only=NUMBERS)
    before = people(warehouse)
    warehouse.clear("resident_register")
    married = {**rows[1], "full_name": "本間 花子", "resident_status_code": "3", "moved_on": dt.date(2026, 3, 1)}
    warehouse.stage("resident_register", [resident(CHILD, "佐渡 子", "サド コ"), rows[2], married, rows[0]])
    warehouse.build(only=NUMBERS)
    assert {number: people(warehouse)[number] for number in before} == before


def pregnancy(number: str = "77", **changes: object) -> Row:
    """A notification of autumn 2025, due in April 2026."""
    return {
        "notification_no": number,
        "mother_atena_no": MOTHER,
        "notified_on": dt.date(2025, 10, 1),
        "due_on": dt.date(2026, 4, 20),
        **changes,
    }


def birth(child: str) -> Row:
    """The notice of a birth."""
    return {
        "notice_no": f"b{child}",
        "notice_type": "出生",
        "child_atena_no": child,
        "mother_atena_no": MOTHER,
        "notified_on": dt.date(2026, 3, 30),
    }


def newborn(number: str, name: str = "佐渡 子") -> Row:
    """A child of the last days."""
    born = dt.date(2026, 3, 25)
    return resident(number, name, None, birth_on=born, resident_since_on=born, moved_on=born)


def subjects(warehouse: FamilyWarehouse) -> set[str]:
    """The children who are scored."""
    return {row[0] for row in warehouse.rows("select person_id from intermediate.int_person__subjects")}


def notification_people(warehouse: FamilyWarehouse) -> dict[str, str]:
    """Notification → person: observations of the pregnancy go where this says."""
    return dict(
        warehouse.rows(
            "select source_key, person_id from intermediate.int_person__identities "
            "where source_id = 'pregnancy_notifications'"
        )
    )


@pytest.mark.parametrize("newborn_no", [CHILD, None], ids=["by its number", "by its mother and the due date"])
def test_an_unborn_child_becomes_the_born_one(warehouse: FamilyWarehouse, newborn_no: str | None) -> None:
    warehouse.stage("resident_register", [resident(MOTHER, "佐渡 母", "サド ハハ")])
    warehouse.stage("pregnancy_notifications", [pregnancy()])
    warehouse.build(only=CHILDREN)
    assert subjects(warehouse) == {"preg-77"}
    warehouse.stage("resident_register", [newborn(CHILD)])
    warehouse.stage("parentage", [birth(CHILD)])
    warehouse.clear("pregnancy_notifications")
    warehouse.stage("pregnancy_notifications", [pregnancy(newborn_atena_no=newborn_no)])
    warehouse.build(only=CHILDREN)
    assert subjects(warehouse) == {CHILD}
    assert notification_people(warehouse) == {"77": CHILD}
    mothers = warehouse.rows("select parent_id, child_id, origin from intermediate.int_family__parents")
    assert mothers == [(MOTHER, CHILD, "届出")]


def test_twins_take_a_notification_each(warehouse: FamilyWarehouse) -> None:
    warehouse.stage(
        "resident_register", [resident(MOTHER, "佐渡 母", "サド ハハ"), newborn(CHILD), newborn(TWIN, "佐渡 双子")]
    )
    warehouse.stage("parentage", [birth(CHILD), birth(TWIN)])
    warehouse.stage("pregnancy_notifications", [pregnancy("77"), pregnancy("78")])
    warehouse.build(only=CHILDREN)
    assert subjects(warehouse) == {CHILD, TWIN}
    assert set(notification_people(warehouse).values()) == {CHILD, TWIN}


def test_a_child_born_too_far_from_the_due_date_is_another_one(warehouse: FamilyWarehouse) -> None:
    warehouse.stage("resident_register", [resident(MOTHER, "佐渡 母", "サド ハハ"), newborn(CHILD)])
    warehouse.stage("parentage", [birth(CHILD)])
    warehouse.stage("pregnancy_notifications", [pregnancy(due_on=dt.date(2026, 9, 1))])
    warehouse.build(only=CHILDREN)
    assert subjects(warehouse) == {CHILD, "preg-77"}


def record(key: str, **changes: object) -> Row:
    """A pupil as the school describes one."""
    return {
        "school_person_no": key,
        "full_name": "本間 花子",
        "full_name_kana": "ホンマ ハナコ",
        "birth_on": dt.date(1990, 5, 5),
        "sex_code": "2",
        "address": "佐渡市両津夷101",
        "enrolled_on": dt.date(2000, 4, 1),
        **changes,
    }


def links(warehouse: FamilyWarehouse) -> dict[str, tuple[str | None, str, str]]:
    """Record → (person, status, method)."""
    return {
        row[0]: row[1:]
        for row in warehouse.rows(
            "select source_key, person_id, status, method from intermediate.int_identity__decisions"
        )
    }


def test_a_link_follows_a_person_who_is_merged_later(warehouse: FamilyWarehouse) -> None:
    decided = [
        {"source_id": "school_enrolment", "source_key": "s1", "decision": "link", "person_id": SECOND},
    ]
    warehouse.stage("resident_register", [resident(FIRST), resident(SECOND, "渡辺 花子", "ワタナベ ハナコ")])
    warehouse.stage(
        "school_enrolment", [record("s1"), record("s2", full_name="渡辺 花子", full_name_kana="ワタナベ ハナコ")]
    )
    warehouse.build(decided, RECORDS)
    assert links(warehouse)["s1"] == (SECOND, "linked", "review")
    warehouse.build([*decided, same(SECOND, FIRST)], RECORDS)
    assert links(warehouse)["s1"] == (FIRST, "linked", "review")
    known = {row[0] for row in warehouse.rows("select person_id from intermediate.int_person__persons")}
    assert all(person in known for person, status, _ in links(warehouse).values() if status == "linked")


def test_a_new_delivery_links_what_is_new_and_keeps_the_rest(
    warehouse: FamilyWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kodomo.linkage import predict

    scored: list[int] = []
    score: Callable[..., object] = predict.score

    def counting(records: object, *others: object) -> object:
        scored.append(len(records))  # type: ignore[arg-type]
        return score(records, *others)

    monkeypatch.setattr(predict, "score", counting)
    warehouse.stage(
        "resident_register", [resident(FIRST), resident(SECOND, "渡辺 太郎", "ワタナベ タロウ", sex_code="1")]
    )
    warehouse.stage("school_enrolment", [record("s1")])
    warehouse.build(only=RECORDS)
    assert links(warehouse) == {"s1": (FIRST, "linked", "splink")}
    warehouse.build(only=RECORDS)
    assert scored == [1]
    warehouse.stage(
        "school_enrolment", [record("s2", full_name="渡辺 太郎", full_name_kana="ワタナベ タロウ", sex_code="1")]
    )
    warehouse.build(only=RECORDS)
    assert scored == [1, 1]
    assert links(warehouse) == {"s1": (FIRST, "linked", "splink"), "s2": (SECOND, "linked", "splink")}
