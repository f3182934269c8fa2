"""Kinds and classes: what none, a negation, another spelling and an unknown word come to."""

from __future__ import annotations

import pytest

from tests.field.running import Outcome, RunCase, landing, resident

NONE_WORDS = (
    "無", "無し", "ー", "―", "0", "NULL", "虐待なし", "特になし", "該当なし", "－", "Ｎ／Ａ", "虐待の疑いなし",
)  # fmt: skip
ABUSE = {
    "身体的": "身体的虐待",
    "養育の放棄・怠慢": "ネグレクト",
    "身体的虐待、ネグレクト": "ネグレクト・身体的虐待",
    "身体的虐待・心理的虐待": "身体的虐待・心理的虐待",
    "０１ 性的虐待": "性的虐待",
    "②ネグレクト（育児放棄）": "ネグレクト",
}
UNKNOWN = ("そのほか", "身体的虐待 なし", "身体的虐待・そのほか")
CONCERNS = {"要精検": True, "要フォロー": True, "疑いあり": True, "要観察なし": False, "要精密検査なし": False,
            "経過観察の必要なし": False, "異常なし": False, "要検討": False}  # fmt: skip
LEAVING = {"卒所": False, "修了": False, "小学校入学": False, "卒園のため": False, "転出": True, "なし": False}
MEASURES = {
    "none": ("非該当", "", "", False),
    "none with a date": ("非該当", "R7.6.1", "", True),
    "unknown": ("相談中", "R7.6.1", "", True),
    "unknown without a date": ("相談中", "", "", True),
    "known": ("ＤＶ等", "R7.6.1", "", True),
    "over": ("DV", "R5.6.1", "R6.6.1", False),
    "only an end": ("", "", "R9.6.1", True),
    "no date": ("", "00000000", "99999999", False),
}
PLACES = {
    "旧両津市": "ryotsu", "０１ 両津": "ryotsu", "両津地区": "ryotsu", "両津行政サービスセンター": "ryotsu",
    "両津市（現佐渡市）": "ryotsu", "佐渡郡相川町": "aikawa", "新穂畑野": "niibo_hatano", "羽茂支所": "minami_sado",
    "新潟県佐渡市（旧・真野町）": "mano", "新潟市": None,
}  # fmt: skip


@pytest.mark.parametrize("position", range(1, 5))
def test_no_abuse_is_no_abuse(field: RunCase, position: int) -> None:
    outcome = field("08-no-abuse-is-no-abuse")
    assert outcome.observations(f"14000{position}", "abuse_consultation") == []
    assert len(outcome.observations(f"14000{position}", "consultation")) == 1
    assert outcome.rows("select * from intermediate.int_family__cases") == []
    assert outcome.rows("select * from marts.fct_risk_contribution where item_code = 'abuse_consultation'") == []


def test_not_needed_is_no_concern(field: RunCase) -> None:
    outcome = field("11-not-needed-is-no-concern")
    observations = outcome.rows(
        "select person_id, text_value from marts.fct_observation where observation_code = 'development_concern'"
    )
    assert observations == [(outcome.person_id("150004"), "要観察")]


def test_a_measure_with_a_date_and_no_class_protects_and_is_asked(field: RunCase) -> None:
    outcome = field("29-a-measure-with-a-date-and-no-class")
    assert protected(outcome, "222001")
    assert protected(outcome, "272001") is False
    assert outcome.rows(
        "select source_id, row_count from marts.fct_steward_question where question = 'measure_without_class'"
    ) == [("resident_register", 1)]


@pytest.mark.parametrize("atena_no", ["241001", "241002", "241003"])
def test_former_municipality_in_other_words_is_the_area(field: RunCase, atena_no: str) -> None:
    outcome = field("33-formerly-ryotsu")
    assert area(outcome, atena_no) == "ryotsu"


@pytest.fixture(scope="module")
def neighbours(field: RunCase, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """One city in which every word of this module is delivered, each about a child of its own."""
    people: list[dict[str, str]] = []

    def child(number: int, **other: str) -> str:
        people.append(resident(str(number), str(900000 + number), f"本間 {number}", "H30.5.5", **other))
        return str(number)

    kinds = [*NONE_WORDS, *ABUSE, *UNKNOWN]
    consultations = [
        {"相談番号": f"S{n}", "児童_宛名番号": child(1000 + n), "受付年月日": "R8.1.10", "相談種別": "性格・行動相談",
         "虐待種別": kind}
        for n, kind in enumerate(kinds)
    ]  # fmt: skip
    cases = [
        {"ケース番号": f"K{n}", "児童_宛名番号": child(1100 + n), "登録年月日": "R7.4.10", "区分": "要支援",
         "主な困難": "虐待", "虐待種別": kind}
        for n, kind in enumerate(kinds)
    ]  # fmt: skip
    checkups = [
        {"児童_宛名番号": child(1200 + n), "健診種別": "３歳児健診", "対象年月日": "R3.6.1", "受診年月日": "R3.6.1",
         "発達判定": result}
        for n, result in enumerate(CONCERNS)
    ]  # fmt: skip
    enrolments = [
        {"児童_宛名番号": child(1300 + n), "施設名": "両津保育園", "入所年月日": "R4.4.1", "退所年月日": "R7.3.31",
         "退所理由": reason}
        for n, reason in enumerate(LEAVING)
    ]  # fmt: skip
    for n, (measure, began, ended, _) in enumerate(MEASURES.values()):
        child(1400 + n, 支援措置区分=measure, 支援措置開始日=began, 支援措置終了日=ended)
    for n, place in enumerate(PLACES):
        child(1500 + n, 町字="夷" if PLACES[place] == "ryotsu" else "中原", 旧市町村=place)
    # Three children of one home, whose number stands in the register; three of a recipient marked as one.
    for number in range(1601, 1607):
        child(number)
    people.append({"宛名番号": "1700", "世帯番号": "901700", "氏名": "社会福祉法人みらい会 朱鷺の家", "住民状態": "9"})
    people.append(resident("1701", "901701", "施設長 夫", "S40.1.1", 続柄コード1="02"))
    allowances = [
        {"受給者_宛名番号": "1700", "児童_宛名番号": str(number), "認定年月日": "R2.4.1"} for number in (1601, 1602)
    ] + [
        {"受給者_宛名番号": "1701", "児童_宛名番号": str(number), "認定年月日": "R2.4.1", "同居別居": "施設等受給者"}
        for number in (1603, 1604)
    ]  # fmt: skip
    for number in (1605, 1606):
        people.append(resident(str(number + 200), f"90{number}", "北見 親", "S63.7.7", 続柄コード1="02"))
    notices = [
        {"届出番号": "P1", "子_宛名番号": "1605", "父_宛名番号": "1805", "届出種別": "認知届不受理申出",
         "届出年月日": "R3.1.10"},
        {"届出番号": "P2", "子_宛名番号": "1606", "父_宛名番号": "1806", "届出種別": "任意認知",
         "届出年月日": "R3.1.10"},
    ]  # fmt: skip
    marriages = [
        {"届出番号": "M1", "夫_宛名番号": "1805", "妻_宛名番号": "1806", "届出種別": "婚姻届", "届出年月日": "H25.1.1"},
        {"届出番号": "M2", "夫_宛名番号": "1805", "妻_宛名番号": "1806", "届出種別": "離婚届不受理申出",
         "届出年月日": "R3.1.10"},
    ]  # fmt: skip
    delivered = landing(
        tmp_path_factory.mktemp("kinds"),
        resident_register=people,
        child_consultations=consultations,
        council_cases=cases,
        infant_checkups=checkups,
        nursery_enrolment=enrolments,
        vaccinations=[
            {"宛名番号": "1200", "ワクチン種別": vaccine, "回数": "1", "接種年月日": "R2.6.1"}
            for vaccine in ("新ワクチンＡ", "新ワクチンＢ", "４種混合", "DPT-IPV")
        ],
        child_allowance=allowances,
        parentage=notices,
        marriages=marriages,
    )
    return field("kinds-and-classes-in-other-words", delivered)


@pytest.mark.parametrize(("position", "word"), list(enumerate(NONE_WORDS)))
def test_word_for_no_abuse_is_no_abuse(neighbours: Outcome, position: int, word: str) -> None:
    for first, code in ((1000, "abuse_consultation"), (1100, "council_case_abuse")):
        assert neighbours.observations(str(first + position), code) == [], word


@pytest.mark.parametrize(("position", "label"), list(enumerate(ABUSE.values(), len(NONE_WORDS))))
def test_abuse_in_other_words_has_its_label(neighbours: Outcome, position: int, label: str) -> None:
    for first, code in ((1000, "abuse_consultation"), (1100, "council_case_abuse")):
        assert neighbours.rows(
            "select text_value from marts.fct_observation where person_id = ? and observation_code = ?",
            [neighbours.person_id(str(first + position)), code],
        ) == [(label,)]


@pytest.mark.parametrize(("position", "word"), list(enumerate(UNKNOWN, len(NONE_WORDS) + len(ABUSE))))
def test_unknown_word_is_asked_and_counts_as_unknown(neighbours: Outcome, position: int, word: str) -> None:
    assert neighbours.observations(str(1000 + position), "abuse_consultation") == []
    assert len(neighbours.observations(str(1000 + position), "consultation")) == 1
    assert len(neighbours.observations(str(1100 + position), "council_case")) == 1
    asked = neighbours.rows(
        "select source_id, column_name, row_count from marts.fct_steward_question "
        "where question = 'unknown_code' and detail = ? order by all",
        [word],
    )
    assert asked == [("child_consultations", "abuse_type", 1), ("council_cases", "abuse_type", 1)]


def test_unknown_words_of_a_key_are_two_records_and_spellings_of_one_code_are_one(neighbours: Outcome) -> None:
    assert neighbours.rows(
        "select text_value from marts.fct_observation where observation_code = 'vaccination' order by all"
    ) == [("四種混合",), ("新ワクチンA",), ("新ワクチンB",)]


@pytest.mark.parametrize(("position", "word", "is_concern"), [(n, *pair) for n, pair in enumerate(CONCERNS.items())])
def test_only_a_finding_that_asks_for_more_is_a_concern(
    neighbours: Outcome, position: int, word: str, is_concern: bool
) -> None:
    assert bool(neighbours.observations(str(1200 + position), "development_concern")) is is_concern, word
    assert len(neighbours.observations(str(1200 + position), "checkup_attended")) == 1


@pytest.mark.parametrize(("position", "word", "is_early"), [(n, *pair) for n, pair in enumerate(LEAVING.items())])
def test_a_nursery_left_at_its_end_is_not_left_early(
    neighbours: Outcome, position: int, word: str, is_early: bool
) -> None:
    assert bool(neighbours.observations(str(1300 + position), "nursery_left")) is is_early, word


@pytest.mark.parametrize(
    ("position", "label", "is_protected"), [(n, label, row[-1]) for n, (label, row) in enumerate(MEASURES.items())]
)
def test_a_measure_protects_on_doubt(neighbours: Outcome, position: int, label: str, is_protected: bool) -> None:
    assert protected(neighbours, str(1400 + position)) is is_protected, label


def test_doubtful_measures_are_asked(neighbours: Outcome) -> None:
    assert neighbours.rows(
        "select question, detail, row_count from marts.fct_steward_question "
        "where column_name = 'support_measure' order by all"
    ) == [("measure_without_class", "", 2), ("unknown_code", "相談中", 2)]


@pytest.mark.parametrize(("position", "place", "code"), [(n, *pair) for n, pair in enumerate(PLACES.items())])
def test_place_in_other_words_is_the_area(neighbours: Outcome, position: int, place: str, code: str | None) -> None:
    assert area(neighbours, str(1500 + position)) == code, place


def test_place_without_an_area_is_asked(neighbours: Outcome) -> None:
    assert neighbours.rows(
        "select detail, row_count from marts.fct_steward_question where question = 'unknown_area'"
    ) == [("新潟市", 1)]


def test_a_body_is_no_parent(neighbours: Outcome) -> None:
    assert neighbours.rows(
        "select * from marts.fct_family_link where link_type = 'parent_of' and from_person_id in (?, ?)",
        [neighbours.person_id("1700"), neighbours.person_id("1701")],
    ) == []  # fmt: skip


def test_an_objection_is_not_what_it_objects_to(neighbours: Outcome) -> None:
    recognised = neighbours.rows("select person_id from marts.fct_observation where observation_code = 'acknowledged'")
    assert recognised == [(neighbours.person_id("1606"),)]
    assert neighbours.rows("select * from marts.fct_observation where observation_code = 'divorce'") == []
    assert neighbours.rows("select valid_to from marts.fct_family_link where link_type = 'partner_of' limit 1") == [
        (None,)
    ]


def protected(outcome: Outcome, atena_no: str) -> bool:
    """Whether a person is protected."""
    return outcome.rows(
        "select is_under_support_measure from intermediate.int_person__persons where person_id = ?",
        [outcome.person_id(atena_no)],
    )[0][0]


def area(outcome: Outcome, atena_no: str) -> str | None:
    """The area of a person."""
    return outcome.rows("select area_code from marts.dim_person where atena_no = ?", [atena_no.zfill(15)])[0][0]
