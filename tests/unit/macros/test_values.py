"""Numbers, flags, ids, codes and postcodes at their edges."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.macros.rendering import evaluate, macro


def check(expression: str, cases: dict[str | None, Any]) -> None:
    """Every case at once, so that a failure shows all that differ."""
    assert dict(zip(cases, evaluate(expression, [*cases]), strict=True)) == cases


def test_whole_numbers() -> None:
    check(
        macro("parse_integer"),
        {
            "0": 0, "007": 7, "12": 12, "2,850g": 2850, "2,850 g": 2850, "1,234,567": 1234567, "12.0": 12, "12.": 12,
            "-3": -3, "−3": -3, "△5": -5, "▲1,000": -1000, "+4": 4, "12人": 12, "3 回": 3, "39週": 39, "20日": 20,
            "6歳": 6, "3年生": 3, "2024年度": 2024, "5か月": 5, "5ヶ月": 5, "38KG": 38, "50%": 50,
            "12.5": None, "1,23": None, "1234,567": None, "1.23E+10": None, "1e3": None, "5以上": None, "約5": None,
            "g": None, "-": None, ",": None, "": None, None: None, "99999999999": None, "--5": None, "1-2": None,
        },
    )  # fmt: skip


def test_decimals() -> None:
    check(
        macro("parse_decimal"),
        {
            "100.5cm": Decimal("100.5"), "100.5 cm": Decimal("100.5"), "16.2kg": Decimal("16.2"), "3": Decimal(3),
            "2,850.25g": Decimal("2850.25"), ".5": Decimal("0.5"), "5.": Decimal(5), "-1.5": Decimal("-1.5"),
            "△0.5": Decimal("-0.5"), "0.0001": Decimal("0.0001"), "+1.25": Decimal("1.25"),
            "1.2.3": None, "1e3": None, "cm": None, ".": None, "": None, None: None, "測定不能": None,
        },
    )  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=50, max_size=200))
def test_any_integer_with_commas_comes_back(numbers: list[int]) -> None:
    assert evaluate(macro("parse_integer"), [f"{number:,}" for number in numbers]) == numbers


def test_flags() -> None:
    true = ["1", "有", "あり", "要", "○", "〇", "◯", "はい", "TRUE", "true", "True"]
    false = ["0", "無", "なし", "否", "×", "いいえ", "FALSE", "false"]
    neither = ["", None, "2", "不明", "x"]
    assert evaluate(macro("parse_flag"), [*true, *false, *neither]) == (
        [True] * len(true) + [False] * len(false) + [None] * len(neither)
    )


def test_numbers_of_people_have_one_spelling() -> None:
    check(
        macro("normalise_id", 15),
        {
            "12345": "000000000012345", "000000000012345": "000000000012345", "0000000000000012345": "000000000012345",
            "12 345": "000000000012345", "123456789012345": "123456789012345", "1234567890123456": "1234567890123456",
            "0": None, "000000000000000": None, "1.23E+10": None, "1.23456789012345E+14": None, "######": None,
            "A12": "A12", "": None, None: None,
        },
    )  # fmt: skip


def test_other_ids_keep_their_zeros() -> None:
    check(
        macro("normalise_id"),
        {"00123": "00123", "K-0012": "K-0012", "12E5": "12E5", "1.2E+05": None, "12E+5": None, "#N/A": None, "": None},
    )


def test_damaged_ids() -> None:
    check(
        macro("is_damaged_id"),
        {"1.23E+10": True, "1.23e+10": True, "1E+12": True, "1.5E10": True, "####": True, "#REF!": True,
         "12E5": False, "123": False, "E-12": False, "": False, None: False},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("delivered", "code"),
    [("10", "10"), ("010", "10"), ("1", "01"), ("01", "01"), ("0 1", "01"), ("0", "0"), ("00", "0"), ("77", "unknown"),
     ("男", "unknown"), (None, None)],
)  # fmt: skip
def test_codes_take_the_spelling_of_their_list(delivered: str | None, code: str | None) -> None:
    code_list = "map {'10': '10', '1': '01', '': '0'}"
    assert evaluate(macro("normalise_code", code_list), [delivered]) == [code]


def test_postcodes() -> None:
    check(
        macro("normalise_postcode"),
        {"952-0011": "9520011", "9520011": "9520011", "〒952-0011": "9520011", "〒 952 0011": "9520011",
         "952−0011": "9520011", "952ー0011": "9520011", "952001": None, "95200111": None, "952-001a": None, "": None,
         None: None},
    )  # fmt: skip
