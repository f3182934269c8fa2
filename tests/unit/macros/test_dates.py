"""Dates and months: every spelling of normalisation.md, and the edges of the eras."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.macros.rendering import evaluate, macro

SPELLINGS = [
    "2015-04-01", "2015/4/1", "2015.4.1", "20150401", "H27.4.1", "h27.4.1", "H270401", "平27.04.01", "平成27年4月1日",
    "4270401", "平成270401", "2015年4月1日", "平成 27 年 4 月 1 日", "H 27. 4. 1", "2 0 1 5 0 4 0 1",
    "2015-04-01 00:00:00", "2015-04-01T09:30:00Z", "2015/4/1 9:30", "2015/04/01 13:05:59.123",
    "平成27年4月1日 10時30分", "平成27年4月1日午前10時", "20150401103000", "20150401 103000", "20150401.0",
    "'2015/4/1", "’2015/4/1", '"2015/4/1"', "西暦2015年4月1日", "2015(平成27)年4月1日", "平成27年(2015年)4月1日",
    "平成27(2015)年4月1日", "H.27.4.1", "2015/04/01(Wed)", "2015/04/01 (水)",
]  # fmt: skip

CHANGEOVERS = {
    "明治45年7月30日": dt.date(1912, 7, 30),
    "大正元年7月30日": dt.date(1912, 7, 30),
    "明治45年7月31日": None,
    "大正元年7月29日": None,
    "大正15年12月25日": dt.date(1926, 12, 25),
    "昭和元年12月25日": dt.date(1926, 12, 25),
    "大正15年12月26日": None,
    "昭和元年12月24日": None,
    "昭和64年1月7日": dt.date(1989, 1, 7),
    "昭和64年1月8日": None,
    "平成元年1月8日": dt.date(1989, 1, 8),
    "平成元年1月7日": None,
    "平成31年4月30日": dt.date(2019, 4, 30),
    "平成31年5月1日": None,
    "令和元年5月1日": dt.date(2019, 5, 1),
    "令和元年4月30日": None,
    "R1.5.1": dt.date(2019, 5, 1),
    "令1.5.1": dt.date(2019, 5, 1),
    "5010501": dt.date(2019, 5, 1),
    "明治元年1月25日": dt.date(1868, 1, 25),
    "明治元年1月24日": None,
    "平成32年4月1日": None,
}

STATUSES = {
    "ok": ["2024-02-29", "R6.2.29", "昭和 2 5 年 3 月 1 日"],
    "none": [
        None, "", "00000000", "0000-00-00", "99999999", "9999-12-31", "9999/12/31", "99991231", "9999年12月31日", "0",
        "0001-01-01", "0001/01/01 0:00:00", "0001-01-01T00:00:00Z", "1899/12/30", "1899-12-31", "1900-01-00",
        "1900/1/0", "1900/01/01", "19000101", "1899-12-30 00:00:00",
        "2999-12-31", "2999/3/31", "9999-03-31", "99999999",
        "1753-01-01", "1601-01-01 00:00:00", "H00.00.00", "昭和00年00月00日", "3000000", "99/99/99", "年 月 日",
        "令和 年 月 日", "//", "..", "9999-12-31T23:59:59Z", "1/1/0001 12:00:00 AM",
        "NULL", "-", "―", "なし", "該当なし", "***", "…", "未定",
    ],
    "unknown": [
        "昭和25年不詳", "昭和25年月日不詳", "不詳", "昭和25年 不 詳", "平成3年4月不詳",
        "昭和25年", "昭和25年3月", "1950年", "S25.00.00",
        "S25.3.0", "19500000", "19500300", "1950-03-00", "3250000",
        "昭和25年3月日", "昭和25年月日", "昭和25年3月頃", "昭和25年3月1日頃", "昭和25年3月吉日",
    ],
    "impossible": [
        "平成32年4月1日", "昭和64年1月8日", "R5.2.29", "2023-13-01", "2023-02-30", "20231301", "2023-04-31", "H0.1.1",
        "平成0年1月1日", "27.4.1", "270401", "H20150401", "平成2015年4月1日", "9270401", "abc", "2015-04",
        "2015-04-01x", "R99999",
    ],
}  # fmt: skip

ERAS = [
    ("明治", "M", "1", 1867, dt.date(1868, 1, 25), dt.date(1912, 7, 30)),
    ("大正", "T", "2", 1911, dt.date(1912, 7, 30), dt.date(1926, 12, 25)),
    ("昭和", "S", "3", 1925, dt.date(1926, 12, 25), dt.date(1989, 1, 7)),
    ("平成", "H", "4", 1988, dt.date(1989, 1, 8), dt.date(2019, 4, 30)),
    ("令和", "R", "5", 2018, dt.date(2019, 5, 1), dt.date(2117, 12, 31)),
]


MOMENTS = {
    "2016-12-11T15:00:00Z": dt.date(2016, 12, 12),
    "2016-12-11T14:59:59Z": dt.date(2016, 12, 11),
    "2008-03-31T15:00:00.000Z": dt.date(2008, 4, 1),
    "2008-03-31 15:00:00 UTC": dt.date(2008, 4, 1),
    "2008/3/31 15:00 +0000": dt.date(2008, 4, 1),
    "20080331T150000Z": dt.date(2008, 4, 1),
    "2008-04-01T00:00:00+09:00": dt.date(2008, 4, 1),
    "2008-04-01T08:59:59+0900": dt.date(2008, 4, 1),
    "2008-03-31T23:00:00-05:30": dt.date(2008, 4, 1),
    "2008-04-01T03:00:00+12:00": dt.date(2008, 4, 1),
    "2008-04-01T02:59:00+12:00": dt.date(2008, 3, 31),
    "2008-12-31T15:00:00Z": dt.date(2009, 1, 1),
    "1969-12-31T15:00:00Z": dt.date(1970, 1, 1),
    "2008-02-30T15:00:00Z": None,
    "2008-04-01T01:00:00 PM Z": None,
}

STROKES = [
    "2015−04−01", "2015‐4‐1", "2015–04–01", "2015ー4ー1", "2015・4・1", "2015—04—01", "H27・4・1", "H27−4−1",
    "平成27年4月1日生", "H27.4.1生", "H27.4.1 生まれ", "2015/4/1(水)", "2015年4月1日(水曜日)", "平成27年4月1日 水曜日",
    "2015-04-01 (水) 10:00", "2015/04/01 午後 1:05", "2015/04/01 1:05:00 PM", "H27.4.1(水)生",
]  # fmt: skip

ENDS = {
    "平成33年3月31日": dt.date(2021, 3, 31),
    "H33.3.31": dt.date(2021, 3, 31),
    "4330331": dt.date(2021, 3, 31),
    "昭和100年4月1日": dt.date(2025, 4, 1),
    "昭和250年4月1日": None,
    "平成100年4月1日": None,
    "昭和99年4月1日": dt.date(2024, 4, 1),
    "平成31年4月30日": dt.date(2019, 4, 30),
    "平成元年1月7日": None,
    "令和元年4月30日": None,
    "平成33年2月29日": None,
    "1970-01-01": None,
    "1970/01/01 00:00:00": None,
    "1970-01-02": dt.date(1970, 1, 2),
}


def test_moment_is_the_day_in_japan() -> None:
    assert dict(zip(MOMENTS, evaluate(macro("parse_date"), [*MOMENTS]), strict=True)) == MOMENTS


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.datetimes(dt.datetime(1930, 1, 2), dt.datetime(2090, 1, 1)), st.integers(-14 * 60, 14 * 60)),
        min_size=100,
        max_size=200,
    )
)
def test_any_moment_is_the_day_that_python_says_it_is_in_japan(moments: list[tuple[dt.datetime, int]]) -> None:
    written = [moment.replace(tzinfo=dt.timezone(dt.timedelta(minutes=offset))) for moment, offset in moments]
    in_japan = [moment.astimezone(dt.timezone(dt.timedelta(hours=9))).date() for moment in written]
    assert evaluate(macro("parse_date"), [moment.isoformat(timespec="seconds") for moment in written]) == in_japan


def test_strokes_weekdays_and_other_words_around_a_date() -> None:
    assert evaluate(macro("parse_date"), [*STROKES]) == [dt.date(2015, 4, 1)] * len(STROKES)


def test_sentinel_day_is_a_birthday_in_an_era() -> None:
    written: list[str | None] = ["明治33年1月1日", "M33.1.1", "1970-01-01", "昭和45年1月1日"]
    days = [dt.date(1900, 1, 1)] * 2 + [dt.date(1970, 1, 1)] * 2
    assert evaluate(macro("parse_date"), written) == days


def test_end_in_an_era_that_has_ended_is_the_year_it_means() -> None:
    assert dict(zip(ENDS, evaluate(macro("parse_date", True), [*ENDS]), strict=True)) == ENDS
    interpreted = {value for value in ENDS if value[0] in "平昭H4" and ENDS[value]} - {"平成31年4月30日"}
    flags = evaluate(macro("is_interpreted_date"), [*ENDS])
    assert {value for value, is_interpreted in zip(ENDS, flags, strict=True) if is_interpreted} == interpreted
    statuses = evaluate(macro("date_status", True), ["平成33年3月31日", "1970-01-01", "平成元年1月7日"])
    assert statuses == ["ok", "none", "impossible"]


def test_every_spelling_is_the_same_day() -> None:
    assert evaluate(macro("parse_date"), [*SPELLINGS]) == [dt.date(2015, 4, 1)] * len(SPELLINGS)


def test_changeover_days_hold_on_both_sides_and_nothing_beyond_them() -> None:
    assert dict(zip(CHANGEOVERS, evaluate(macro("parse_date"), [*CHANGEOVERS]), strict=True)) == CHANGEOVERS


@pytest.mark.parametrize("status", STATUSES)
def test_status_of_an_invalid_date(status: str) -> None:
    values = STATUSES[status]
    assert dict(zip(values, evaluate(macro("date_status"), values), strict=True)) == dict.fromkeys(values, status)
    assert all((day is not None) == (status == "ok") for day in evaluate(macro("parse_date"), values))


def test_every_day_of_every_era_in_every_notation() -> None:
    """All days from 1868 to 2040, written in their era, come back as themselves."""
    written: list[str | None] = []
    days: list[dt.date] = []
    for name, letter, digit, offset, first, last in ERAS:
        for number in range((min(last, dt.date(2040, 12, 31)) - first).days + 1):
            day = first + dt.timedelta(days=number)
            year = day.year - offset
            forms = [
                f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日",
                f"{letter}{year}.{day.month}.{day.day}",
                f"{name[0]}{year:02}/{day.month:02}/{day.day:02}",
                f"{letter}{year:02}{day.month:02}{day.day:02}",
                f"{digit}{year:02}{day.month:02}{day.day:02}",
            ]
            written.append(forms[number % len(forms)])
            days.append(day)
    assert evaluate(macro("parse_date"), written) == days


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(ERAS), st.integers(0, 99), st.integers(0, 13), st.integers(0, 32)),
        min_size=200,
        max_size=400,
    )
)
def test_any_era_date_agrees_with_the_calendar(parts: list[tuple]) -> None:
    """Also for days that do not exist: what Python's calendar refuses, or the era does not hold, is no date."""

    def expected(era: tuple, year: int, month: int, day: int) -> dt.date | None:
        try:
            date = dt.date(era[3] + year, month, day)
        except ValueError:
            return None
        return date if era[4] <= date <= era[5] else None

    written: list[str | None] = [f"{era[1]}{year:02}{month:02}{day:02}" for era, year, month, day in parts]
    assert evaluate(macro("parse_date"), written) == [expected(*part) for part in parts]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.text(alphabet="HSRTM平成昭和令元年月日0123456789./-: T不詳", max_size=14), min_size=50, max_size=200)
)
def test_no_text_makes_dates_fail(texts: list[str]) -> None:
    days = evaluate(macro("parse_date"), [*texts])
    statuses = evaluate(macro("date_status"), [*texts])
    assert [day is not None for day in days] == [status == "ok" for status in statuses]


def test_months_in_every_spelling() -> None:
    written: list[str | None] = [
        "2024-04", "2024/4", "2024.4", "202404", "R6.4", "r6.4", "令和6年4月", "令6年04月", "R0604", "50604",
        "令和 6年 4月", "2024年4月", "2024-04-15", "令和6年4月15日", "20240415",
    ]  # fmt: skip
    assert evaluate(macro("parse_month"), written) == [dt.date(2024, 4, 1)] * len(written)


@pytest.mark.parametrize(
    ("written", "first_day", "status"),
    [
        ("昭和64年1月", dt.date(1989, 1, 1), "ok"),
        ("平成元年1月", dt.date(1989, 1, 1), "ok"),
        ("昭和64年2月", None, "impossible"),
        ("平成31年4月", dt.date(2019, 4, 1), "ok"),
        ("平成31年5月", None, "impossible"),
        ("令和元年5月", dt.date(2019, 5, 1), "ok"),
        ("令和元年4月", None, "impossible"),
        ("2024-13", None, "impossible"),
        ("24-04", None, "impossible"),
        ("000000", None, "none"),
        ("9999-12", None, "none"),
        ("999912", None, "none"),
        (None, None, "none"),
        ("令和6年不詳", None, "unknown"),
        ("令和6年 不 詳", None, "unknown"),
    ],
)
def test_months_at_their_edges(written: str | None, first_day: dt.date | None, status: str) -> None:
    assert evaluate(macro("parse_month"), [written]) == [first_day]
    assert evaluate(macro("month_status"), [written]) == [status]
