"""A family of 25 that shows every convention of a genogram."""

from __future__ import annotations

from kodomo.child_sheet.genogram import MARRIED, UNREGISTERED, Couple, Family, Member

MEMBERS = (
    Member("child", "本間 葵", "本人", "女", 2015, is_child=True, household_id="h1"),
    Member("mother", "本間 美咲", "母", "女", 1990, household_id="h1"),
    Member("stepfather", "本間 大輔", "継父", "男", 1988, household_id="h1", cases=0),
    Member("half", "本間 陸", "異父弟", "男", 2021, household_id="h1"),
    Member("unborn", "（出生前）", "異父きょうだい（出生前）", "不明", None, is_unborn=True, household_id="h1"),
    Member("father", "佐藤 健", "父", "男", 1987, household_id="h2"),
    Member("new_wife", "佐藤 恵", "父の内縁の妻", "女", 1992, household_id="h2"),
    Member("half_sister", "佐藤 さくら", "異母妹", "女", 2022, household_id="h2"),
    Member("first", "渡辺 誠", "母の元夫", "男", 1985, cases=1, is_on_chain=True),
    Member("brother", "渡辺 蓮", "異父兄", "男", 2010, cases=2, is_on_chain=True),
    Member("first_new", "渡辺 由美", "母の元夫の妻", "女", 1986, is_on_chain=True),
    Member("first_child", "渡辺 結衣", "母の元夫の子", "女", 2014, cases=1, is_on_chain=True),
    Member("grandfather", "本間 正", "母方の祖父", "男", 1958, is_deceased=True),
    Member("grandmother", "本間 和子", "母方の祖母", "女", 1961, household_id="h3"),
    Member("uncle", "本間 浩", "母方のおじ", "男", 1993, household_id="h3"),
    Member("aunt", "中川 真由美", "母方のおば", "女", 1986, household_id="h4"),
    Member("aunt_husband", "中川 修", "母方のおばの夫", "男", 1984, household_id="h4"),
    Member("cousin", "中川 颯太", "母方のいとこ", "男", 2012, household_id="h4"),
    Member("cousin_adopted", "中川 陽菜", "母方のいとこ", "女", 2016, household_id="h4"),
    Member("paternal", "佐藤 茂", "父方の祖父", "男", 1955, household_id="h5"),
    Member("paternal_wife", "佐藤 節子", "父方の祖母", "女", 1957, household_id="h6"),
    Member("great", "本間 トメ", "母方の曽祖母", "女", 1935, is_deceased=True),
    Member("great_husband", "本間 金蔵", "母方の曽祖父", "男", 1930, is_deceased=True, cases=1),
    Member("lodger", "（氏名なし）", "元同居人", "不明", None, is_on_chain=True),
    Member("lodger_child", "山本 凛", "元同居人", "女", 2013, cases=1, is_on_chain=True),
)
COUPLES = (
    Couple("stepfather", "mother", MARRIED),
    Couple("father", "mother", MARRIED, is_over=True),
    Couple("first", "mother", MARRIED, is_over=True),
    Couple("father", "new_wife", UNREGISTERED),
    Couple("first", "first_new", MARRIED),
    Couple("grandfather", "grandmother", MARRIED),
    Couple("aunt_husband", "aunt", MARRIED),
    Couple("paternal", "paternal_wife", MARRIED, lives_apart=True),
    Couple("great_husband", "great", MARRIED),
)
PARENTS = tuple(
    sorted(
        [
            ("mother", "child", False), ("father", "child", False), ("mother", "half", False),
            ("stepfather", "half", False), ("mother", "unborn", False), ("stepfather", "unborn", False),
            ("father", "half_sister", False), ("new_wife", "half_sister", False), ("first", "brother", False),
            ("mother", "brother", False), ("first", "first_child", False), ("first_new", "first_child", False),
            ("grandfather", "mother", False), ("grandmother", "mother", False), ("grandfather", "uncle", False),
            ("grandmother", "uncle", False), ("grandfather", "aunt", False), ("grandmother", "aunt", False),
            ("aunt", "cousin", False), ("aunt_husband", "cousin", False), ("aunt", "cousin_adopted", True),
            ("aunt_husband", "cousin_adopted", True), ("paternal", "father", False),
            ("paternal_wife", "father", False), ("great", "grandfather", False),
            ("great_husband", "grandfather", False), ("lodger", "lodger_child", False),
        ]
    )
)  # fmt: skip
FAMILY = Family(MEMBERS, COUPLES, PARENTS, (("child", "lodger_child"),))
