"""The explanation of one person at a terminal."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from kodomo.errors import UsageError
from kodomo.linkage.contradictions import contradictions
from kodomo.linkage.explain import HOUSEMATE, WITHHELD, describe, explain
from tests.unit.models.family_warehouse import FamilyWarehouse, Row

AS_OF = dt.date(2026, 4, 1)
GRANDMOTHER, MOTHER, CHILD, AUNT, COUSIN, HOST = (f"{number:015d}" for number in range(1, 7))
NAMES = {
    HOST: "菊池 藤",
    GRANDMOTHER: "本間 梅",
    MOTHER: "佐藤 桜",
    CHILD: "佐藤 楓",
    AUNT: "本間 菊",
    COUSIN: "本間 蘭",
}
HOME, HIDDEN_HOME = "000000000000901", "000000000000902"


def resident(number: str, born: int, **changes: object) -> Row:
    return {
        "atena_no": number,
        "household_no": HOME,
        "full_name": NAMES[number],
        "birth_on": dt.date(born, 5, 5),
        "sex_code": "2",
        "resident_status_code": "1",
        "resident_since_on": dt.date(max(born, 1980), 5, 5),
        "former_municipality": "両津",
    } | changes


def birth(child: str, mother: str, born: int) -> Row:
    return {
        "notice_no": child,
        "notice_type": "出生",
        "child_atena_no": child,
        "mother_atena_no": mother,
        "notified_on": dt.date(born, 5, 9),
    }


@pytest.fixture(scope="module")
def warehouse(models: list[tuple[str, str, str]]) -> FamilyWarehouse:
    """Two cousins: the mother of one is under a support measure, the mother of the other was a case as a child."""
    built = FamilyWarehouse(models, AS_OF)
    hidden = {"household_no": HIDDEN_HOME}
    built.stage(
        "resident_register",
        [
            resident(GRANDMOTHER, 1960),
            resident(MOTHER, 1985, support_measure="1", **hidden),
            resident(CHILD, 2015, **hidden),
            resident(HOST, 1940, **hidden),
            resident(AUNT, 1987),
            resident(COUSIN, 2016),
        ],
    )
    built.stage(
        "parentage",
        [
            birth(MOTHER, GRANDMOTHER, 1985),
            birth(CHILD, MOTHER, 2015),
            birth(AUNT, GRANDMOTHER, 1987),
            birth(COUSIN, AUNT, 2016),
            # For the steward: an unknown relation.
            {**birth(COUSIN, AUNT, 2016), "notice_no": "x", "notice_type": "届出らしきもの"},
        ],
    )
    built.stage("council_cases", [{"case_no": "1", "child_atena_no": AUNT, "registered_on": dt.date(2000, 1, 1)}])
    built.build()
    for mart, model in (
        ("dim_person", "int_person__persons"),
        ("fct_link_decision", "int_identity__decisions"),
        ("fct_family_link", "int_family__links"),
    ):
        built.connection.execute(f"create table warehouse.marts.{mart} as from warehouse.intermediate.{model}")
    built.connection.execute(
        "create table warehouse.marts.dim_household as "
        "select household_id, bool_or(is_under_support_measure) as is_dv_protected "
        "from warehouse.intermediate.int_person__persons group by household_id"
    )
    built.connection.execute(
        "create table warehouse.marts.fct_chain as "
        "select *, (select as_of_on from raw.run_parameters) as as_of_on "
        "from warehouse.intermediate.int_chain__vertical where path is not null"
    )
    built.connection.execute(
        "create table warehouse.marts.dim_area as select 'ryotsu' as area_code, '両津' as area_name_ja"
    )
    return built


def explanation(warehouse: FamilyWarehouse, person: str, **options: Any) -> str:
    return "\n".join(describe(explain(warehouse.connection, person, **options)))


def test_person_is_explained_in_japanese_with_chain_and_contradictions(warehouse: FamilyWarehouse) -> None:
    text = explanation(warehouse, COUSIN)
    for line in (
        f"世帯 {HOME}  地区 両津",
        f"住民基本台帳: {COUSIN}",
        f"母: 本間 菊 {AUNT} 同居  ケース 1件（最新 2000-01-01）",
        f"母方の祖母: 本間 梅 {GRANDMOTHER} 同居",
        "縦の連鎖 1: 本間 蘭 → 本間 菊  要保護児童対策地域協議会のケース 2000-01-01",
        f"届出種別が分からない: {COUSIN}（届出）",
    ):
        assert line in text
    assert not re.search("[A-Za-z]{3}", text)


def test_number_without_zeros_and_source_key_identify_a_person(warehouse: FamilyWarehouse) -> None:
    assert explanation(warehouse, COUSIN.lstrip("0")) == explanation(warehouse, COUSIN)
    with pytest.raises(UsageError):
        explanation(warehouse, "school_enrolment:1")


def test_a_relative_under_a_support_measure_is_neither_named_nor_placed(warehouse: FamilyWarehouse) -> None:
    text = explanation(warehouse, COUSIN)
    assert f"母方のおば: {WITHHELD} {MOTHER} —" in text
    assert not [name for name in (NAMES[MOTHER], NAMES[CHILD]) if name in text]
    assert NAMES[MOTHER] in explanation(warehouse, COUSIN, show_protected=True)


def test_protected_address_and_household_are_shown_on_request_only(warehouse: FamilyWarehouse) -> None:
    text = explanation(warehouse, CHILD)
    assert "支援措置" in text.splitlines()[1]
    assert not [word for word in (HIDDEN_HOME, "両津", "同居") if word in text.replace(HOUSEMATE, "")]
    asked = explanation(warehouse, CHILD, show_protected=True)
    assert not [word for word in (HIDDEN_HOME, "両津", "同居") if word not in asked]


def test_home_of_an_adult_who_lives_with_a_protected_person_is_hidden(warehouse: FamilyWarehouse) -> None:
    text = explanation(warehouse, HOST)
    assert NAMES[HOST] in text
    assert not [word for word in (HIDDEN_HOME, "両津", "同居") if word in text.replace(HOUSEMATE, "")]
    assert HIDDEN_HOME in explanation(warehouse, HOST, show_protected=True)


def test_measure_heard_by_telephone_hides_the_household_at_once(warehouse: FamilyWarehouse) -> None:
    for person in (AUNT, COUSIN, GRANDMOTHER):
        text = explanation(warehouse, person, entered=[AUNT])
        assert not [word for word in (HOME, "地区 両津", "同居") if word in text.replace(HOUSEMATE, "")], person
    assert NAMES[AUNT] not in explanation(warehouse, COUSIN, entered=[AUNT])


def test_contradictions_are_listed_for_all_and_for_one(warehouse: FamilyWarehouse) -> None:
    (listed,) = contradictions(warehouse.connection)
    assert (listed["kind"], listed["person_id"]) == ("unknown_notice", COUSIN)
    assert contradictions(warehouse.connection, COUSIN) == [listed]
    assert contradictions(warehouse.connection, GRANDMOTHER) == []
