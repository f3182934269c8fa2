"""Numbers, flags, ids, codes and postcodes at their edges."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kodomo.macros import load_macros
from tests.unit.macros.rendering import evaluate, macro


def check(expression: str, cases: dict[str | None, Any]) -> None:
    """Every case at once, so that a failure shows all that differ."""
    assert dict(zip(cases, evaluate(expression, [*cases]), strict=True)) == cases


def test_whole_numbers() -> None:
    check(
        macro("parse_integer"),
        {
            "0": 0, "007": 7, "12": 12, "1,234,567": 1234567, "12.0": 12, "12.": 12, "2 850": 2850,
            "-3": -3, "−3": -3, "△5": -5, "▲1,000": -1000, "+4": 4,
            "12.5": None, "1,23": None, "1234,567": None, "1.23E+10": None, "1e3": None, "5以上": None, "約5": None,
            "g": None, "-": None, ",": None, "": None, None: None, "99999999999": None, "--5": None, "1-2": None,
            "3kg": None, "12人": None,
        },
    )  # fmt: skip


UNITS = {
    "g": {"2,850g": 2850, "2,850 g": 2850, "3.0kg": 3000, "3kg": 3000, "3 KG": 3000, "2.98kg": 2980, "3キロ": 3000,
          "2850グラム": 2850, "38KG": 38000, "2.8505kg": None, "3m": None, "3lb": None, "3人": None},
    "日": {"20日": 20, "20日間": 20, "2週": 14, "2週間": 14, "3": 3, "3か月": None, "3回": None},
    "週": {"39週": 39, "39週間": 39, "39W": 39, "39週3日": 39, "36週6日": 36, "39w0d": 39,
          "39+3": 39, "妊娠12週": 12, "39週7日": None, "275日": None},
    "回": {"3 回": 3, "3回目": 3, "3日": None},
    "年": {"3年生": 3, "3年": 3, "小3": 3, "小学3年生": 3, "中1": 7, "中学2年": 8, "高1": None},
    "年度": {"2024年度": 2024, "2024年": 2024, "2024": 2024, "令和6年度": 2024, "R6": 2024, "令6年": 2024,
           "令和元年度": 2019, "平成31年度": 2019, "6月": None},
    "点": {"5点": 5, "5％": None},
    "本": {"2本": 2, "2": 2},
}  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_unit_decides_and_another_one_is_no_number(unit: str) -> None:
    check(macro("parse_integer", unit), UNITS[unit])


def test_decimals() -> None:
    check(
        macro("parse_decimal", "cm"),
        {
            "100.5cm": Decimal("100.5"), "100.5 cm": Decimal("100.5"), "1.2m": Decimal(120),
            "1005mm": Decimal("100.5"),
            "3": Decimal(3), "2,850.25": Decimal("2850.25"), ".5": Decimal("0.5"), "5.": Decimal(5),
            "-1.5": Decimal("-1.5"), "△0.5": Decimal("-0.5"), "0.0001": Decimal("0.0001"), "+1.25": Decimal("1.25"),
            "1.2.3": None, "1e3": None, "cm": None, ".": None, "": None, None: None, "測定不能": None, "16.2kg": None,
        },
    )  # fmt: skip
    check(
        macro("parse_decimal", "kg"),
        {"16.2kg": Decimal("16.2"), "16200g": Decimal("16.2"), "16200グラム": Decimal("16.2")},
    )


def test_number_is_never_rounded_up_to_a_band() -> None:
    check(
        macro("parse_decimal"),
        {
            "19.99996": Decimal("19.99996"),
            "19.99999999": Decimal("19.999999"),
            "19.9999999999999999999": Decimal("19.999999"),
        },
    )


def test_number_out_of_range_has_its_own_status() -> None:
    macros = load_macros()
    number = macro("parse_integer", "g")
    values = ["300", "7,000", "3kg", "299", "7.001kg", "0", "−1", "NULL", "-", "", None, "多い"]
    assert evaluate(macros["plausible_number"](number, 300, 7000), values) == [300, 7000, 3000] + [None] * 9
    assert evaluate(macro("number_status", number, 300, 7000), values) == (
        ["ok"] * 3 + ["implausible"] * 4 + ["none"] * 4 + ["impossible"]
    )
    assert evaluate(macro("number_status", number, None, None), ["-5", "3t"]) == ["ok", "impossible"]


NOTHING = [
    None, "",  "NULL", "null", "Null", "\\N", "NaN", "nan", "None", "N/A", "n/a", "-", "―", "ー", "--", "---",
    "*", "***", "...", "なし", "無し", "無", "該当なし", "非該当", "対象外", "不明", "未定", "未記入", "特になし", 
    "該当 なし", "(null)", "?", "/",
]  # fmt: skip
SOMETHING = ["0", "1", "A-1", "無視", "なしの木", "null1", "身体的", "不明熱", "有", "○", "×", "N", "未"]


def test_words_for_nothing() -> None:
    check(macro("is_nothing"), {**dict.fromkeys(NOTHING, True), **dict.fromkeys(SOMETHING, False)})
    for width in (15, None):
        assert evaluate(macro("normalise_id", width), NOTHING) == [None] * len(NOTHING)
    for name in ("parse_date", "parse_month", "parse_integer", "parse_decimal"):
        assert evaluate(macro(name), NOTHING) == [None] * len(NOTHING)
    dates = [word for word in NOTHING if word != "不明"]
    for name in ("date_status", "month_status"):
        assert evaluate(macro(name), dates) == ["none"] * len(dates)
        assert evaluate(macro(name), ["不明"]) == ["unknown"]


def test_word_for_nothing_is_no_code_unless_its_list_has_it() -> None:
    # As stg_seeds__code_spellings gives them: '' stands for nothing where the list has no code for it.
    code_list = "map {'なし': '0', '1': '1', '無': '', 'NULL': '', '': ''}"
    assert evaluate(macro("normalise_code", code_list), ["なし", "無", "NULL", "-", "1", "身体的", None]) == (
        ["0", None, None, None, "1", "unknown", None]
    )


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=50, max_size=200))
def test_any_integer_with_commas_comes_back(numbers: list[int]) -> None:
    assert evaluate(macro("parse_integer"), [f"{number:,}" for number in numbers]) == numbers


def test_flags() -> None:
    true = ["1", "有", "あり", "要", "○", "〇", "◯", "はい", "TRUE", "true", "True", "該当", "該当する", "済", "提出済",
            "1:有", "01 有", "-1", "1.0", "Y", "t",
            "有 り", "☑"]  # fmt: skip
    false = ["0", "無", "なし", "否", "×", "いいえ", "FALSE", "false", "非該当", "該当しない", "未", "未提出", "0:無",
             "0.0", "No", "f", "☐", "不 要"]  # fmt: skip
    neither = ["", None, "2", "不明", "x", "対象外", "有無", "1:無し有り", "該当なし有"]
    assert evaluate(macro("parse_flag"), [*true, *false, *neither]) == (
        [True] * len(true) + [False] * len(false) + [None] * len(neither)
    )


NUMBER = "000000000012345"


def test_numbers_of_people_have_one_spelling() -> None:
    check(
        macro("normalise_id", 15),
        {
            "12345": NUMBER, NUMBER: NUMBER, "0000000000000012345": NUMBER, "12 345": NUMBER, "12345.0": NUMBER,
            "12345.00": NUMBER, "12,345": NUMBER, "'12345": NUMBER, "’12345": NUMBER, '="12345"': NUMBER,
            '"12345"': NUMBER, "No.12345": NUMBER, "No 12345": NUMBER, "NO.012345": NUMBER, "宛名番号12345": NUMBER,
            "'12,345.0": NUMBER, "123456789012345": "123456789012345", "1234567890123456": "1234567890123456",
            "9": "000000000000009", "99": "000000000000099", "9990": "000000000009990",
            "0": None, "000000000000000": None, "999": None, "999999999999999": None,
            "0099999": "000000000099999", "9,999": None,
            "1.23E+10": None, "1.23456789012345E+14": None, "######": None, "A12": None, "12345.5": None, "12,34": None,
            "123-45": None, "12345様": None, "別紙": None, "1/2": None, "": None, None: None,
        },
    )  # fmt: skip


def test_other_ids_keep_their_zeros() -> None:
    check(
        macro("normalise_id"),
        {"00123": "00123", "K-0012": "K-0012", "12E5": "12E5", "'00123": "00123", '="00123"': "00123", "12.0": "12",
         "1.5": "1.5", "1.2E+05": None, "12E+5": None, "#N/A": None, "": None},
    )  # fmt: skip


def test_damaged_ids() -> None:
    check(
        macro("is_damaged_id"),
        {"1.23E+10": True, "1.23e+10": True, "1E+12": True, "1.5E10": True, "####": True, "#REF!": True,
         "12E5": False, "123": False, "E-12": False, "": False, None: False},
    )  # fmt: skip
    check(
        macro("is_damaged_id", 15),
        {"1.23E+10": True, "####": True, "A12": True, "12,34": True, "別紙参照": True, "12345.5": True, "12E5": True,
         "123": False, "12,345": False, "0": False, "99999": False, "NULL": False, "-": False, "なし": False, "": False,
         None: False},
    )  # fmt: skip


def test_number_of_a_holder_matches_in_every_spelling() -> None:
    check(
        macro("match_number"),
        {"0012": "12", "12": "12", "A-0013": "A-13", "a-0013": "A-13", "A‐13": "A-13", "p0012b003": "P12B3", "0": None,
         "000": None, "9999": None,
         "99": "99", "No.0012": "12", "NO12": "12", "NOA12": "NOA12", "10": "10", "100-0": "100-0",
         "A100": "A100", None: None},
    )  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 10**15 - 1).filter(lambda n: set(str(n)) != {"9"}), min_size=50, max_size=100))
def test_any_spelling_of_a_number_is_one_id(numbers: list[int]) -> None:
    spellings = [
        f"{number}", f"{number:015}", f"{number:018}", f"{number:,}", f"{number}.0", f"'{number}", f'="{number:012}"',
        f"No.{number}", f"{number} ",
    ] if (number := numbers[0]) else []  # fmt: skip
    assert set(evaluate(macro("normalise_id", 15), spellings)) == {f"{number:015}"}
    assert evaluate(macro("normalise_id", 15), [f"{n:,}.0" for n in numbers]) == [f"{n:015}" for n in numbers]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(alphabet="0123456789,.'\"=NoE+-# 無null*A宛", max_size=12), min_size=50, max_size=200))
def test_whatever_is_written_a_number_of_a_person_has_digits_only(texts: list[str]) -> None:
    ids = evaluate(macro("normalise_id", 15), [*texts])
    assert all(number is None or (number.isdigit() and len(number) >= 15 and int(number)) for number in ids)
    damaged = evaluate(macro("is_damaged_id", 15), [*texts])
    assert not any(is_damaged and number for is_damaged, number in zip(damaged, ids, strict=True))


@pytest.mark.parametrize(
    ("delivered", "code"),
    [("10", "10"), ("010", "10"), ("1", "01"), ("01", "01"), ("0 1", "01"), ("0", "0"), ("00", "0"), ("77", "unknown"),
     ("男", "unknown"), (None, None), ("-", None)],
)  # fmt: skip
def test_codes_take_the_spelling_of_their_list(delivered: str | None, code: str | None) -> None:
    code_list = "map {'10': '10', '1': '01', '0': '0', '': ''}"
    assert evaluate(macro("normalise_code", code_list), [delivered]) == [code]


def test_postcodes() -> None:
    check(
        macro("normalise_postcode"),
        {"952-0011": "9520011", "9520011": "9520011", "〒952-0011": "9520011", "〒 952 0011": "9520011",
         "952−0011": "9520011", "952ー0011": "9520011", "952001": None, "95200111": None, "952-001a": None, "": None,
         None: None},
    )  # fmt: skip
