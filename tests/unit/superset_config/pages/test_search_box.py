"""One box: what a text in it asks for, and whom it fits."""

from __future__ import annotations

import datetime as dt

import pytest

from superset_config.pages.reach import Terms, folded
from superset_config.pages.search_box import LONGEST, terms_of

BIRTH = dt.date(2008, 4, 1)
CHILD = {
    "person_id": "000000020080401",
    "_name": folded("髙野 咲美"),
    "_kana": folded("タカノ サミ"),
    "birth_on": BIRTH,
}


@pytest.mark.parametrize(
    "text", ["平成20年4月1日", "H20.4.1", "2008/4/1", "2008-04-01", "２００８年 ４月 １日", "平成20年04月01日"]
)
def test_date_of_birth_is_read_in_any_spelling(text: str) -> None:
    assert terms_of(text) == Terms(birth_on=BIRTH)
    assert terms_of(f"たかの　さみ {text}") == Terms("たかのさみ", BIRTH)


@pytest.mark.parametrize(
    "text",
    [
        "たかの さみ",
        "タカノサミ",
        "ﾀｶﾉ ｻﾐ",
        "高野咲美",
        "髙野　咲美",
        "さみ",
        "20080401",
        "000000020080401",
        "さみ H20.4.1",
        "",
    ],
)
def test_child_is_found_by_kana_variants_date_and_number(text: str) -> None:
    assert terms_of(text).fit(CHILD)


@pytest.mark.parametrize("text", ["たかの はな", "H20.4.2", "20080402", "000000020080402", "さみ 2009/4/1", "preg-1"])
def test_every_word_must_fit(text: str) -> None:
    assert not terms_of(text).fit(CHILD)


def test_digits_that_are_a_date_are_a_number_too() -> None:
    terms = terms_of("20080401")
    assert terms.fit({**CHILD, "person_id": "x"})
    assert terms.fit({**CHILD, "birth_on": None})
    assert terms.used == ["date_or_number"]


def test_text_beyond_the_longest_is_cut() -> None:
    assert len(terms_of("あ" * 1000).name) == LONGEST
