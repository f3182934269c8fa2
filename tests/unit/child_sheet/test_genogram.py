"""Genograms: who stands where, what each line says, what a reader may not see."""

from __future__ import annotations

import datetime as dt
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from kodomo.child_sheet.genogram import (
    MARRIED,
    UNREGISTERED,
    Couple,
    Family,
    Member,
    draw,
    generations,
    in_words,
    read_family,
    row_orders,
)
from tests.unit.child_sheet.families import FAMILY

GOLDEN = Path(__file__).with_name("family_of_25.svg")
SVG = "{http://www.w3.org/2000/svg}"


def names(svg: str) -> list[str]:
    return [text.text or "" for text in ET.fromstring(svg).iter(f"{SVG}text")]


def test_family_of_25_is_drawn_as_it_was_approved() -> None:
    # A change of the drawing is looked at, then written here: draw(FAMILY).
    assert draw(FAMILY) == GOLDEN.read_text(encoding="utf-8")


def test_picture_is_the_same_in_whatever_order_rows_arrive() -> None:
    turned = replace(FAMILY, parents=FAMILY.parents[::-1], couples=FAMILY.couples[::-1])
    assert generations(turned) == generations(FAMILY)
    assert draw(FAMILY) == draw(FAMILY)


def test_generations_are_rows() -> None:
    rows = generations(FAMILY)
    assert {rows[name] for name in ("great", "great_husband")} == {0}
    assert {rows[name] for name in ("grandfather", "grandmother", "paternal", "paternal_wife")} == {1}
    assert {rows[name] for name in ("mother", "father", "first", "first_new", "stepfather", "uncle", "lodger")} == {2}
    assert {rows[name] for name in ("child", "half", "unborn", "half_sister", "cousin", "lodger_child")} == {3}


def test_partners_stand_side_by_side() -> None:
    order = row_orders(FAMILY, generations(FAMILY))[2]
    for pair in (("mother", "stepfather"), ("father", "mother"), ("father", "new_wife"), ("first", "first_new")):
        assert abs(order.index(pair[0]) - order.index(pair[1])) == 1, pair


def test_everybody_is_drawn_with_the_own_symbol() -> None:
    svg = draw(FAMILY)
    words = names(svg)
    for member in FAMILY.members:
        assert member.name in words
        assert member.role in words
    groups = list(ET.fromstring(svg).iter(f"{SVG}g"))
    assert len(groups) == 25
    shapes = {
        member.person_id: [part.tag for part in group] for member, group in zip(FAMILY.members, groups, strict=True)
    }
    assert shapes["uncle"][0] == f"{SVG}rect"
    assert shapes["aunt"][0] == f"{SVG}circle"
    assert shapes["lodger"][0] == f"{SVG}polygon"
    # The child has a double border, who has died a cross.
    assert shapes["child"][:2] == [f"{SVG}circle"] * 2
    assert shapes["half"].count(f"{SVG}rect") == 1
    assert f"{SVG}path" in shapes["great"]
    assert f"{SVG}path" not in shapes["mother"]


def test_couples_say_what_joins_them() -> None:
    words = in_words(FAMILY)
    assert "継父 本間 大輔と母 本間 美咲は婚姻" in words
    assert "父 佐藤 健と母 本間 美咲は離婚" in words
    assert "父 佐藤 健と父の内縁の妻 佐藤 恵は内縁" in words
    assert "父方の祖父 佐藤 茂と父方の祖母 佐藤 節子は婚姻（別居）" in words
    assert "母方のおば 中川 真由美は母方のいとこ 中川 陽菜の養親" in words


def strokes(couple: Couple) -> tuple[int, bool]:
    """Strokes through the line of a couple, and whether it is dashed."""
    family = Family((Member("a", "甲", "父", "男"), Member("b", "乙", "母", "女")), (couple,))
    svg = draw(family)
    return svg.count("<line"), 'stroke-dasharray="6 4"' in svg


@pytest.mark.parametrize(
    ("couple", "looks"),
    [
        (Couple("a", "b", MARRIED), (0, False)),
        (Couple("a", "b", MARRIED, is_over=True), (2, False)),
        (Couple("a", "b", MARRIED, lives_apart=True), (1, False)),
        (Couple("a", "b", UNREGISTERED), (0, True)),
        (Couple("a", "b", UNREGISTERED, is_over=True), (2, True)),
        (Couple("a", "b", ""), (0, False)),
    ],
)
def test_line_of_a_couple_follows_the_convention(couple: Couple, looks: tuple[int, bool]) -> None:
    assert strokes(couple) == looks


def test_parents_without_a_record_of_marriage_are_joined_by_a_dashed_line() -> None:
    members = (
        Member("c", "子", "本人", "女", is_child=True),
        Member("f", "父", "父", "男"),
        Member("m", "母", "母", "女"),
    )
    assert 'stroke-dasharray="6 4"' in draw(Family(members, (), (("f", "c", False), ("m", "c", False))))


def test_names_are_escaped_and_never_reach_the_layout_program() -> None:
    name = '</text><script>"&]->x'
    svg = draw(
        Family(
            (Member("a", name, "本人", "女", is_child=True), Member("b", "母", "母", "女")), (), (("b", "a", False),)
        )
    )
    assert "<script" not in svg
    assert name in names(svg)


def test_family_that_contradicts_itself_is_drawn_all_the_same() -> None:
    members = tuple(Member(name, name, "親族", "男") for name in "abc")
    circle = Family(members, (Couple("a", "c"),), (("a", "b", False), ("b", "c", False), ("c", "a", False)))
    assert set("abc") <= set(names(draw(circle)))
    # A couple of two generations: descent decides the rows.
    aunt = Family(members, (Couple("a", "c"),), (("a", "b", False), ("b", "c", False)))
    assert generations(aunt) == {"a": 0, "b": 1, "c": 2}


def edge(start: str, end: str, kind: str = "parent_of", **more: object) -> dict[str, object]:
    ends = {
        f"{side}_{name}": value
        for side, person in (("from", start), ("to", end))
        for name, value in {
            "person_id": person, "label": f"{person}（1990年生）", "role_label": "親族", "sex": "女",
            "birth_on": dt.date(1990, 1, 1), "is_deceased": False, "household_id": f"home-{person}",
        }.items()
    }  # fmt: skip
    link = {"link_kind": "marriage" if kind == "partner_of" else "biological", "validity_label": "現在"}
    return {**ends, "link_type": kind, **link, **more}


CHILD = {"person_id": "c", "display_name": "子", "child_label": "子（2015年1月1日生）", "sex": "女",
         "birth_on": dt.date(2015, 1, 1), "household_id": "home-c"}  # fmt: skip


def test_cases_are_marked_only_with_a_family_sheet() -> None:
    edges = [edge("m", "c")]
    sheet = [{"relative_id": "m", "relation_label": "母", "case_count": 2}]
    assert read_family(CHILD, edges).member("m").cases is None
    assert not read_family(CHILD, edges).shows_cases
    assert read_family(CHILD, edges, sheet).member("m").cases == 2
    assert read_family(CHILD, edges, sheet).member("m").role == "母"


def step(number: int, person: str, link: str | None, **more: object) -> dict[str, object]:
    given = {"chain_type": "horizontal", "end_person_id": "e", "step_no": number, "step_person_id": person}
    shown = {
        "step_label": person,
        "step_sex": "男",
        "step_birth_on": None,
        "step_link": link,
        "step_link_kind": "marriage",
    }
    return {**given, **shown, "step_link_is_over": True, **more}


def test_everybody_on_the_way_of_a_chain_is_in_the_family() -> None:
    steps = [step(0, "c", None), step(1, "m", "parent"), step(2, "x", "partner"), step(3, "e", "child")]
    family = read_family(CHILD, [edge("m", "c")], [], steps)
    assert {member.person_id for member in family.members} == {"c", "m", "x", "e"}
    assert family.member("e").cases == 1
    assert ("x", "e", False) in family.parents
    assert [(c.first_id, c.second_id, c.is_over) for c in family.couples] == [("m", "x", True)]
    # Of a way that is withheld nothing is drawn.
    hidden = [{**row, "step_person_id": None} for row in steps]
    assert {member.person_id for member in read_family(CHILD, [edge("m", "c")], [], hidden).members} == {"c", "m"}


def test_withheld_marriage_is_a_plain_line_and_has_no_household() -> None:
    row = edge(
        "f", "m", "partner_of", link_kind=None, validity_label=None, from_household_id=None, to_household_id=None
    )
    family = read_family(CHILD, [edge("m", "c", to_household_id=None, from_household_id=None), row])
    (couple,) = family.couples
    assert (couple.kind, couple.is_over, couple.lives_apart, couple.label) == ("", False, False, "配偶")
    assert family.residence(family.member("m")) == "—"


def test_household_is_framed_and_said_in_words() -> None:
    together = edge("m", "c", from_household_id="home-c", to_household_id="home-c")
    family = read_family(CHILD, [together, edge("f", "c")])
    assert family.residence(family.member("m")) == "同居"
    assert family.residence(family.member("f")) == "別世帯"
    assert draw(family).count('fill="#eef4f9"') >= 1


def test_widow_is_not_divorced() -> None:
    family = read_family(CHILD, [edge("f", "m", "partner_of", validity_label="過去", from_is_deceased=True)])
    assert not family.couples[0].is_over


def test_picture_has_a_title_and_a_description() -> None:
    svg = draw(FAMILY)
    assert re.search(r'role="img" aria-labelledby="genogram-title genogram-desc"', svg)
    assert "家族図（25人）" in svg
