"""Neighbours of the cases of the field, and rows drawn at random from what real files hold, in one city and one run.

Whatever is written: nobody is a person by a number that the register does not have, nothing counts that no person would
call a fact, and every record is accounted for.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.field.running import Outcome, RunCase, landing, resident

pytestmark = pytest.mark.slow

NOTHING = (
    "", "NULL", "\\N", "N/A", "#N/A", "-", "－", "―", "ー", "…", "なし", "「なし」", "（なし）", "無し。", "該当なし",
    "非該当", "対象外", "不明", "未定", "特になし", "空白", "（空白）", "0", "ブランク", "該当者なし", "***", "父なし",
)  # fmt: skip
NO_NUMBERS = ("000000000000000", "999999999999999", "00000", "9,999,999", "'0", "別紙参照", "転出者", "A-12", "12-3",
              "山田 太郎", "一二三", "1.5", "+", "母と同じ")  # fmt: skip
ABUSE = ("身体的虐待", "身体的", "ネグレクト", "ﾈｸﾞﾚｸﾄ", "養育の放棄・怠慢", "心理的虐待（面前DV）", "01 性的虐待",
         "身体的虐待の疑い", "ネグレクト（疑）")  # fmt: skip
NO_ABUSE = (*NOTHING, "虐待なし", "虐待の事実なし", "疑いなし", "虐待非該当", "虐待ではない", "虐待なし。", "◎なし")
UNKNOWN_ABUSE = ("確認中", "未確認", "身体的虐待 なし", "無（疑いのみ）", "そのほか", "警察", "学校", "身体測定")
CONCERNS = ("要観察", "要経過観察", "要精検", "疑いあり", "要フォロー", "要医療")
NO_CONCERNS = ("異常なし", "経過観察不要", "精密検査不要", "疑いなし", "要観察なし", "経過観察の必要なし",
               "異常所見なし", "問題なし", *NOTHING)  # fmt: skip
UNKNOWN_CONCERNS = ("要検討", "要観察かもしれない", "不要不急", "要")
NO_ENDS = ("", "1900/01/01", "0001-01-01 00:00:00", "1899/12/30", "1970-01-01", "9999-12-31", "2999/12/31",
           "1753-01-01", "00000000", "NULL", "－", "H00.00.00", "　年　月　日", "1900/1/0", "99/99/99",
           "継続中", "なし")  # fmt: skip
SPELLINGS_OF_A_DAY = (
    "2025-04-10", "R7.4.10", "Ｒ７．４．１０", "令和7年4月10日", "㋿7年4月10日", "20250410", "5070410", "R7-4-10",
    "R7－4－10", "R7・4・10", "R7ー4ー10", "2025/04/10 0:00:00", "2025-04-09T15:00:00Z", "2025-04-10T00:00:00+09:00",
    "2025/4/10（木）",
    "令和7年4月10日 木曜日", "令和7年4月10日 9時30分", "20250410093000", "20250410.0", "'2025/4/10",
    "西暦2025年4月10日", "令和7(2025)年4月10日", "R.7.4.10", "2025年4月10日(Thu)",
)  # fmt: skip
DAY = dt.date(2025, 4, 10)
CHILDREN = 60


def spelled(number: int, random: Random) -> str:
    """A number of a person as a tool or a person may have written it."""
    return random.choice(
        (str(number), f"{number:015}", f"{number}.0", f"{number:,}", f"'{number}", f"No.{number}", f'="{number}"',
         f"\u200b{number}", f"{number:,}".translate(FULL_WIDTH), f" {number}　")
    )  # fmt: skip


FULL_WIDTH = {ord(letter): chr(ord(letter) + 0xFEE0) for letter in "0123456789,."}


@dataclass
class City:
    """The rows of one landing folder, and which of them are facts."""

    register: list[dict[str, str]] = field(default_factory=list)
    extracts: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    facts: dict[str, set[int]] = field(default_factory=dict)
    """By observation code, the lines of its source that a person would call one."""

    def child(self, number: int, **other: str) -> str:
        """A child of four years in a household of its own; returns its number."""
        self.register.append(resident(str(number), str(900_000 + number), f"本間 {number}", "R3.5.5", **other))
        return str(number)

    def add(self, source_id: str, fact: str = "", **row: str) -> int:
        """A row of an extract, and the observation that it is a fact for; returns its line."""
        rows = self.extracts.setdefault(source_id, [])
        rows.append(row)
        if fact:
            self.facts.setdefault(fact, set()).add(len(rows) + 1)
        return len(rows) + 1


def neighbours(city: City) -> None:
    """The slips that are met by name, each about a child of its own."""
    for position, day in enumerate(SPELLINGS_OF_A_DAY):
        city.add("council_cases", ケース番号=f"D{position}", 児童_宛名番号=city.child(1000 + position), 登録年月日=day,
                 終結年月日=NO_ENDS[position % len(NO_ENDS)], 区分="要保護")  # fmt: skip
    # A word or a body in the place of a parent; a body that stands in the register.
    city.register.append(
        {"宛名番号": "1999", "世帯番号": "901999", "氏名": "社会福祉法人みらい会", "住民状態": "9", "性別": "1"}
    )
    for position, father in enumerate(
        ("佐渡市児童養護施設", "東京都", "1999", "#N/A", "父不明", "（なし）", "12345678901234567890")
    ):
        city.add("parentage", 届出番号=f"F{position}", 子_宛名番号=city.child(1100 + position), 父_宛名番号=father,
                 届出種別="出生届", 届出年月日="R3.5.6")  # fmt: skip
    city.add("child_allowance", 受給者_宛名番号="1999", 児童_宛名番号="1100", 認定年月日="R3.6.1")
    for position, (weight, weeks) in enumerate(
        (("3.2", "39週3日"), ("3㎏", "36週6日"), ("2,980g", "在胎40週"), ("98cm", "275日"), ("99999", "39+0"))
    ):
        city.add("newborn_visits", 児童_宛名番号=city.child(1200 + position), 出生体重=weight, 在胎週数=weeks,
                 訪問年月日="R3.6.1", 訪問拒否=("拒否", "非該当", "該当", "未", "1:有")[position])  # fmt: skip
    for position, (height, weight) in enumerate(
        (("1.2m", "10500g"), ("980mm", "15キロ"), ("980", "10500"), ("98㎝", "15.5㎏"))
    ):
        city.add("infant_checkups", 児童_宛名番号=city.child(1300 + position), 健診種別="３才児健診",
                 対象年月日="R6.6.1", 受診年月日="R6.6.1", 身長=height, 体重=weight, う歯数="0本", 発達判定="異常なし",
                 育てにくさ="非該当")  # fmt: skip
    for position, place in enumerate(
        ("旧・両津市", "佐渡市（旧　両津市）", "両津支所管内", "01:両津", "旧両津市域", "佐渡郡両津市")
    ):
        city.child(1400 + position, 旧市町村=place, 郵便番号="")
    for position, (sex, state, household) in enumerate(
        (
            ("男性", "住登者", "901500"),
            ("女児", "現存", "9,015,01"),
            ("♂", "除票", "901502.0"),
            ("2:女", "１：住登者", "'901503"),
        )
    ):
        city.child(1500 + position, 性別=sex, 住民状態=state, 世帯番号=household)
    # Two strangers whose household is a filler.
    for position, household in enumerate(("999999999999999", "NULL", "0", "９９９９９９")):
        city.child(1600 + position, 世帯番号=household)
    pupils = {"0012": "小４", "A-0013": "4年生", "120,002": "小学4年", "№0077": "中1"}
    for position, (number, grade) in enumerate(pupils.items()):
        child = city.child(1700 + position)
        city.register[-1] |= {"氏名": f"北川 生徒{position}", "生年月日": "H28.5.5"}
        city.add("school_enrolment", 学籍番号=number, 氏名=f"北川 生徒{position}", 生年月日="H28.5.5", 性別="男",
                 学校名="両津小学校", 学年=grade, 在籍開始="R5.4.1", 宛名番号=child)  # fmt: skip
    for number in ("0000", "9999"):
        city.add(
            "school_enrolment",
            学籍番号=number,
            氏名="東 一",
            生年月日="H28.5.5",
            学校名="両津小学校",
            在籍開始="R5.4.1",
        )
    for number in ("12", "ａ－１３", "120002", "77", "0000", "404"):
        city.add("school_attendance", 学籍番号=number, 年月="令和7年10月分", 授業日数="20日間", 欠席日数="15日")
    city.add("school_checkups", 学籍番号="12", 年度="令和7年度", 身長="1.4m", 体重="35キロ")
    city.add("council_cases", ケース番号="U1", 児童_宛名番号=city.child(1800), 登録年月日="S25.00.00", 区分="要保護")


def drawn(city: City, random: Random) -> None:
    """Rows of which each cell is drawn: numbers in every spelling, words for nothing, kinds, negations, rubbish."""
    children = [int(city.child(5000 + number)) for number in range(CHILDREN)]

    def number(of_a_child: bool = True) -> str:
        if of_a_child and random.random() < 0.7:
            return spelled(random.choice(children), random)
        if random.random() < 0.3:
            return "".join(random.choice("0123456789なABｱー-,.'＃〇 ") for _ in range(random.randint(1, 8)))
        return random.choice((*NOTHING, *NO_NUMBERS, str(random.randint(70_000, 90_000))))

    for position in range(150):
        kind = random.choice((ABUSE, NO_ABUSE, UNKNOWN_ABUSE))
        word = random.choice(kind)
        city.add("child_consultations", "abuse_consultation" if kind is ABUSE else "", 相談番号=f"S{position}",
                 児童_宛名番号=number(), 受付年月日=random.choice(SPELLINGS_OF_A_DAY), 相談種別="性格・行動相談",
                 虐待種別=word)  # fmt: skip
        word = random.choice(kind)
        city.add("council_cases", "council_case_abuse" if kind is ABUSE else "", ケース番号=f"K{position}",
                 児童_宛名番号=number(), 登録年月日=random.choice(SPELLINGS_OF_A_DAY),
                 終結年月日=random.choice(NO_ENDS), 区分="要支援", 虐待種別=word)  # fmt: skip
        kind = random.choice((CONCERNS, NO_CONCERNS, UNKNOWN_CONCERNS))
        city.add("infant_checkups", "development_concern" if kind is CONCERNS else "", 児童_宛名番号=number(),
                 健診種別="1歳6か月児健診", 対象年月日="R4.11.5", 受診年月日="R4.11.6",
                 発達判定=random.choice(kind))  # fmt: skip
        city.add("parentage", 届出番号=f"P{position}", 子_宛名番号=number(), 父_宛名番号=number(False),
                 母_宛名番号=number(random.random() < 0.1), 届出種別="認知届不受理申出",
                 届出年月日="R3.6.1")  # fmt: skip


@settings(max_examples=1, deadline=None, phases=[Phase.generate])
@given(random=st.randoms(use_true_random=True))
def test_neighbours_and_drawn_rows(field: RunCase, tmp_path_factory: pytest.TempPathFactory, random: Random) -> None:
    city = City()
    neighbours(city)
    drawn(city, random)
    folder: Path = tmp_path_factory.mktemp("neighbours")
    outcome = field("neighbours", landing(folder, resident_register=city.register, **city.extracts))
    only_registered_numbers_are_people(outcome, city)
    only_facts_count(outcome, city)
    every_record_is_accounted_for(outcome)
    days_are_days(outcome)
    words_and_bodies_are_no_parents(outcome)
    quantities_are_what_is_meant(outcome)
    places_and_states_are_read(outcome)
    pupils_are_found_or_asked(outcome)


def only_registered_numbers_are_people(outcome: Outcome, city: City) -> None:
    registered = {
        unicodedata.normalize("NFKC", row["宛名番号"]).zfill(15)
        for row in city.register
        if not row["宛名番号"].startswith("16") and row["宛名番号"] != "1501"
    }
    people = {number for (number,) in outcome.rows("select atena_no from marts.dim_person")}
    assert people == registered
    assert outcome.rows("select * from marts.fct_family_link where link_type = 'shared_household'") == []
    assert outcome.rejects("resident_register") == [
        (line, reason, "世帯番号")
        for line, reason in (
            (2 + city.register.index(row), "damaged_id" if row["宛名番号"] == "1501" else "missing_required")
            for row in city.register
            if row["宛名番号"] == "1501" or row["宛名番号"].startswith("16")
        )
    ]


def only_facts_count(outcome: Outcome, city: City) -> None:
    sources = {
        "abuse_consultation": "child_consultations",
        "council_case_abuse": "council_cases",
        "development_concern": "infant_checkups",
    }
    for code, source_id in sources.items():
        rejected = {line for line, _, _ in outcome.rejects(source_id)}
        observed = {
            line
            for (line,) in outcome.rows(
                "select line_number from marts.fct_observation where observation_code = ? and source_id = ?",
                [code, source_id],
            )
        }
        asked = {
            line
            for (line,) in outcome.rows(
                "select line_number from intermediate.int_quality__unknown_numbers where source_id = ?", [source_id]
            )
        }
        superseded = city.facts[code] if source_id == "infant_checkups" else set()
        assert observed <= city.facts[code], code
        # A later record of one child and day of a check-up corrects an earlier one; all others count.
        assert city.facts[code] - rejected - asked - superseded <= observed, code
        assert observed, code
        evidence = outcome.rows(
            "select evidence from marts.fct_risk_contribution where item_code = ? and is_counted", [code]
        )
        lines = {int(line) for (text,) in evidence for line in re.findall(r":([0-9]+)", text)}
        assert lines <= city.facts[code], code


def every_record_is_accounted_for(outcome: Outcome) -> None:
    assert outcome.rows("select * from marts.fct_delivery where rows_read <> rows_loaded + rows_rejected") == []
    assert outcome.rows("select * from marts.fct_fact_account where fate not in ('used', 'asked', 'explained')") == []
    loaded = dict(outcome.rows("select source_id, sum(rows_loaded)::bigint from marts.fct_delivery group by all"))
    accounted = dict(outcome.rows("select source_id, sum(row_count)::bigint from marts.fct_fact_account group by all"))
    assert accounted == {source_id: rows for source_id, rows in loaded.items() if rows}
    assert not [result for result in outcome.expectations if result.is_blocking]


def days_are_days(outcome: Outcome) -> None:
    for position, day in enumerate(SPELLINGS_OF_A_DAY):
        child = str(1000 + position)
        assert outcome.observations(child, "council_case") == [(DAY, None, None)], day
        assert outcome.is_known_to_services(child) is True
    # A day that is written as unknown is no fact with a date, and asked.
    assert outcome.observations("1800", "council_case") == []
    assert outcome.rows(
        "select row_count from marts.fct_steward_question where source_id = 'council_cases' and detail = 'unknown_date'"
    ) == [(1,)]
    assert outcome.rows(
        "select fate, row_count from marts.fct_fact_account "
        "where source_id = 'council_cases' and reason = 'date_unknown'"
    ) == [("asked", 1)]


def words_and_bodies_are_no_parents(outcome: Outcome) -> None:
    assert outcome.rows("select * from marts.fct_family_link where link_type = 'parent_of'") == []


def quantities_are_what_is_meant(outcome: Outcome) -> None:
    def values(children: range, code: str) -> list[list]:
        return [[row[2] for row in outcome.observations(str(child), code)] for child in children]

    assert values(range(1200, 1205), "birth_weight") == [[], [3000], [2980], [], []]
    assert values(range(1200, 1205), "birth_gestation_weeks") == [[39], [36], [40], [], [39]]
    refused = [bool(outcome.observations(str(child), "newborn_visit_refused")) for child in range(1200, 1205)]
    assert refused == [True, False, True, False, True]
    assert values(range(1300, 1304), "checkup_weight") == [[10.5], [15], [], [15.5]]
    assert outcome.rows("select * from marts.fct_observation where observation_code = 'hard_to_raise'") == []
    assert values(range(1700, 1701), "school_bmi") == [[Decimal("17.857142")]]


def places_and_states_are_read(outcome: Outcome) -> None:
    def people(first: int, count: int, column: str) -> list:
        numbers = [f"{first + position:015}" for position in range(count)]
        found = dict(outcome.rows(f"select atena_no, {column} from marts.dim_person"))
        return [found.get(number) for number in numbers]

    assert people(1400, 6, "area_code") == ["ryotsu"] * 6
    assert people(1500, 4, "sex") == ["男", None, "男", "女"]
    assert people(1500, 4, "is_resident") == [True, None, False, True]


def pupils_are_found_or_asked(outcome: Outcome) -> None:
    for child, grade in (("1700", 4), ("1702", 4), ("1703", 7)):
        assert [row[2] for row in outcome.observations(child, "school_enrolment")] == [grade]
        assert [row[2] for row in outcome.observations(child, "school_absence_days")] == [15]
    assert outcome.observations("1701", "school_absence_days")
    assert [reject[1:] for reject in outcome.rejects("school_enrolment")] == [("missing_required", "学籍番号")] * 2
    assert [reject[1:] for reject in outcome.rejects("school_attendance")] == [("missing_required", "学籍番号")]
    assert outcome.rows(
        "select row_count from marts.fct_steward_question where source_id = 'school_attendance' and question = 'orphan'"
    ) == [(1,)]
