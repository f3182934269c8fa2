"""Columns that differ from the deliveries before: each slip once, once nearly, and what explains a difference."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import pytest

from kodomo.contract import load_contracts
from kodomo.ingest.deviations import Finding, _measures, findings, load_profile_limits, past_of, unaccepted
from kodomo.ingest.profiles import QUANTILES, Figure, Place, Profile, months
from kodomo.messages import JAPANESE

INSURANCE, ROSTER, VACCINATIONS = "national_health_insurance", "school_enrolment", "vaccinations"
ROWS = 200
Given = Mapping[Place, float]


def profile(day: str, given: Given, rows: int = ROWS) -> Profile:
    """A profile with the figures given, all of so many rows."""
    figures = {place: Figure(number, rows) for place, number in given.items()}
    on = dt.date.fromisoformat(day)
    return Profile(f"{on:%Y%m%d}-x-01", on, {("", "rows", ""): Figure(rows, rows), **figures})


def monthly(series: Sequence[Given], until: str = "2026-02-15", rows: int = ROWS) -> list[Profile]:
    """A profile for each month up to a day, newest first; ``series`` is oldest first."""
    last = dt.date.fromisoformat(until)
    made = []
    for back, given in enumerate(reversed(series)):
        number = 12 * last.year + last.month - 1 - back
        made.append(profile(dt.date(number // 12, number % 12 + 1, last.day).isoformat(), given, rows))
    return made


def judged(source: str, past: Sequence[Given], now: Given, until: str = "2026-02-15", **other: object) -> list[Finding]:
    """The findings of the last delivery of a monthly series."""
    newest, *earlier = monthly([*past, now], until, int(str(other.get("rows", ROWS))))
    is_delta = bool(other.get("is_delta"))
    return findings(load_contracts()[source], newest, past_of(newest, earlier, is_delta))


def names(found: Sequence[Finding]) -> list[tuple[str, str]]:
    """Column and measure of each finding."""
    return [(one.column, one.measure) for one in found]


def dates(column: str, first: str, spread: int = 12) -> dict[Place, float]:
    """Quantiles of dates from a month on, so many months apart."""
    begin = months(dt.date.fromisoformat(first + "-01"))
    return {(column, "date", item): begin + spread * at for at, item in enumerate(QUANTILES)}


def codes(column: str, **counts: int) -> dict[Place, float]:
    """Rows by code."""
    return {(column, "code", code.lstrip("_")): count for code, count in counts.items()}


EMPTY = ("disqualified_on", "empty", "")
LENGTH, DISTINCT = ("atena_no", "length", ""), ("atena_no", "distinct", "")
JOINED, CHANGED, FUTURE = ("atena_no", "joined", ""), ("qualified_on", "changed", ""), ("qualified_on", "future", "")
REJECTED = ("atena_no", "rejected", "")


@pytest.mark.parametrize(
    ("place", "usual", "slip", "nearly"),
    [
        (EMPTY, 0.20, 0.36, 0.34),
        (LENGTH, 8.0, 10.1, 9.9),
        (DISTINCT, 200, 99, 101),
        (JOINED, 0.99, 0.83, 0.85),
        (CHANGED, 0.01, 0.32, 0.30),
        (FUTURE, 0.0, 0.11, 0.09),
        (REJECTED, 0.0, 0.16, 0.14),
    ],
)
def test_a_figure_beyond_its_bound_is_found_and_one_before_it_is_not(
    place: Place, usual: float, slip: float, nearly: float
) -> None:
    past = [{place: usual}] * 6
    assert names(judged(INSURANCE, past, {place: slip})) == [place[:2]]
    assert judged(INSURANCE, past, {place: nearly}) == []
    assert judged(INSURANCE, past, {place: usual}) == []


def test_a_column_that_becomes_full_is_no_slip() -> None:
    assert judged(INSURANCE, [{EMPTY: 0.9}] * 6, {EMPTY: 0.0}) == []


def test_flipped_codes_are_found_with_the_code_that_changed_most() -> None:
    past = [codes("certificate_type", general=140, student=60)] * 6
    (found,) = judged(INSURANCE, past, codes("certificate_type", general=50, student=140, unknown=10))
    assert (found.column, found.measure, found.item) == ("certificate_type", "code", "-general")
    assert found.deviation == pytest.approx(0.45)
    assert judged(INSURANCE, past, codes("certificate_type", general=115, student=85)) == []


def test_codes_of_another_list_are_what_the_list_does_not_have() -> None:
    past = [codes("certificate_type", general=140, student=60)] * 6
    (found,) = judged(INSURANCE, past, codes("certificate_type", unknown=200))
    assert (found.item, found.deviation) == ("+unknown", pytest.approx(1.0))
    text = found.sentence.in_language(JAPANESE)
    assert text == "「証区分」の区分の割合が変わっています（「一覧にない値」が 0％から 100％に）"


@pytest.mark.parametrize(
    ("first", "expected"),
    [("2009-01", "earlier"), ("2011-01", "later"), ("2010-07", None), ("2009-07", None), ("2010-01", None)],
)
def test_dates_moved_by_a_year_are_found_and_by_half_a_year_are_not(first: str, expected: str | None) -> None:
    found = judged(INSURANCE, [dates("qualified_on", "2010-01")] * 6, dates("qualified_on", first))
    assert [(one.measure, one.item, one.deviation) for one in found] == ([("date", expected, 12)] if expected else [])


def test_dates_of_which_only_one_half_moves_are_no_shift() -> None:
    now = dates("qualified_on", "2010-01")
    now |= {place: month + 12 for place, month in now.items() if place[2] in ("p75", "p95")}
    assert judged(INSURANCE, [dates("qualified_on", "2010-01")] * 6, now) == []


def test_dates_that_wait_as_long_as_ever_for_their_delta_are_no_shift() -> None:
    past = [dates("vaccinated_on", f"2025-{month:02d}", 0) for month in range(8, 13)]
    past.append(dates("vaccinated_on", "2026-01", 0))
    assert judged(VACCINATIONS, past, dates("vaccinated_on", "2026-02", 0), is_delta=True) == []
    (found,) = judged(VACCINATIONS, past, dates("vaccinated_on", "2025-02", 0), is_delta=True)
    assert (found.measure, found.item, found.deviation) == ("date", "earlier", 12)


def test_dates_of_another_century_are_out_of_range() -> None:
    now = dates("qualified_on", "2010-01")
    now[("qualified_on", "date", "p05")] -= 1200
    (found,) = judged(INSURANCE, [dates("qualified_on", "2010-01")] * 6, now)
    assert (found.measure, found.item, found.deviation) == ("range", "earlier", 1200)
    # The twentieth part of fewer rows is a handful of people.
    assert judged(INSURANCE, [dates("qualified_on", "2010-01")] * 6, now, rows=150) == []


def test_half_a_school_missing_is_found_and_a_class_that_left_is_not() -> None:
    usual: Given = {("school_name", "group", "東小"): 80, ("school_name", "group", "西小"): 60}
    (found,) = judged(ROSTER, [usual] * 6, {**usual, ("school_name", "group", "東小"): 40})
    assert (found.measure, found.item, found.deviation) == ("group", "東小", 0.5)
    assert found.sentence.in_language(JAPANESE) == "「学校名」が「東小」の行が 40 件しかありません（これまで 80 件）"
    assert judged(ROSTER, [usual] * 6, {**usual, ("school_name", "group", "東小"): 66}) == []


def test_a_school_under_a_new_name_is_not_missing() -> None:
    usual: Given = {("school_name", "group", "東小"): 80, ("school_name", "group", "西小"): 60}
    renamed: Given = {("school_name", "group", "市立東小"): 80, ("school_name", "group", "西小"): 60}
    assert judged(ROSTER, [usual] * 6, renamed) == []
    gone: Given = {("school_name", "group", "西小"): 60}
    (found,) = judged(ROSTER, [usual] * 6, gone)
    assert (found.item, found.deviation) == ("東小", 1.0)


def test_bounds_narrow_from_crude_to_least_with_the_deliveries_before() -> None:
    # From 0.5 after one delivery to 0.15 after six, in equal steps.
    for past, bound in ((1, 0.5), (2, 0.43), (3, 0.36), (6, 0.15), (9, 0.15)):
        assert names(judged(INSURANCE, [{EMPTY: 0.2}] * past, {EMPTY: 0.2 + bound + 0.001})) == [EMPTY[:2]], past
        assert judged(INSURANCE, [{EMPTY: 0.2}] * past, {EMPTY: 0.2 + bound - 0.001}) == [], past


def test_nothing_is_said_of_a_first_delivery_or_of_few_rows() -> None:
    assert judged(INSURANCE, [], {EMPTY: 1.0}) == []
    assert judged(INSURANCE, [{EMPTY: 0.0}] * 6, {EMPTY: 1.0}, rows=29) == []
    assert names(judged(INSURANCE, [{EMPTY: 0.0}] * 6, {EMPTY: 1.0}, rows=30)) == [EMPTY[:2]]


def test_one_odd_delivery_before_neither_hides_a_slip_nor_makes_one() -> None:
    past: list[Given] = [{EMPTY: 0.2}, {EMPTY: 0.2}, {EMPTY: 1.0}, {EMPTY: 0.2}, {EMPTY: 0.2}, {EMPTY: 0.2}]
    assert judged(INSURANCE, past, {EMPTY: 0.2}) == []
    assert names(judged(INSURANCE, past, {EMPTY: 0.6})) == [EMPTY[:2]]
    # After it, the column is as it was.
    assert judged(INSURANCE, [{EMPTY: 0.2}] * 5 + [{EMPTY: 1.0}], {EMPTY: 0.2}) == []


def test_a_column_that_always_differs_is_held_to_its_own_differences() -> None:
    swinging: list[Given] = [{EMPTY: number} for number in (0.1, 0.5, 0.2, 0.6, 0.0, 0.5)]
    assert judged(INSURANCE, swinging, {EMPTY: 0.8}) == []
    assert names(judged(INSURANCE, [{EMPTY: 0.3}] * 6, {EMPTY: 0.8})) == [EMPTY[:2]]


def test_a_column_that_grows_month_by_month_is_compared_with_the_last() -> None:
    growing: list[Given] = [{EMPTY: 0.1 * number} for number in range(6)]
    assert judged(INSURANCE, growing, {EMPTY: 0.6}) == []


def test_a_seasonal_month_is_compared_with_that_of_the_year_before() -> None:
    # 児童手当: the 現況届 of June changes the flag of every row, once a year.
    flag = ("is_status_report_filed", "changed", "")
    year: list[Given] = [{flag: 0.95 if month == 6 else 0.01} for month in (6, 7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5)]
    assert judged("child_allowance", year, {flag: 0.95}, until="2026-06-15") == []
    # Without a year before, it is not judged in that month, and is in another one.
    assert judged("child_allowance", year[6:], {flag: 0.95}, until="2026-06-15") == []
    assert names(judged("child_allowance", year[3:9], {flag: 0.95}, until="2026-02-15")) == [flag[:2]]


def test_a_new_season_still_finds_a_column_emptied() -> None:
    assert names(judged("child_allowance", [{EMPTY: 0.1}] * 6, {EMPTY: 0.7}, until="2026-06-15")) == [EMPTY[:2]]
    assert judged("child_allowance", [{EMPTY: 0.1}] * 6, {EMPTY: 0.5}, until="2026-06-15") == []


def test_dates_that_move_on_each_april_are_no_shift() -> None:
    roster = [dates("birth_on", "2009-04") for _ in range(10)] + [dates("birth_on", "2010-04") for _ in range(12)]
    assert judged(ROSTER, roster, dates("birth_on", "2011-04"), until="2026-04-10") == []
    (found,) = judged(ROSTER, roster, dates("birth_on", "2012-04"), until="2026-04-10")
    assert (found.measure, found.item) == ("date", "later")


def test_a_delta_is_compared_with_deltas_of_its_size_and_its_chance() -> None:
    big, small = {("vaccine_type", "empty", ""): 0.0}, {("vaccine_type", "empty", ""): 0.6}
    now = profile("2026-02-15", small, 40)
    initial = [profile("2026-01-15", big, 4000)]
    vaccinations = load_contracts()[VACCINATIONS]
    assert findings(vaccinations, now, past_of(now, initial, True)) == []
    # Half of forty rows may be missing by chance where a fifth is; of four hundred not.
    usual = {("vaccine_type", "empty", ""): 0.2}
    for rows, expected in ((40, []), (400, [("vaccine_type", "empty")])):
        found = judged(VACCINATIONS, [usual] * 6, {("vaccine_type", "empty", ""): 0.55}, rows=rows, is_delta=True)
        assert names(found) == expected, rows


def test_changed_values_are_judged_once_it_is_known_how_many_change() -> None:
    first: Given = {EMPTY: 0.2}
    assert judged(INSURANCE, [first], {CHANGED: 0.95}) == []
    assert names(judged(INSURANCE, [first, {CHANGED: 0.02}], {CHANGED: 0.95})) == [CHANGED[:2]]
    # Some systems write a date of their own into every row each time.
    assert judged(INSURANCE, [first, {CHANGED: 0.93}], {CHANGED: 0.95}) == []


def test_an_accepted_finding_is_not_raised_again_until_it_goes_further() -> None:
    found = judged(INSURANCE, [{EMPTY: 0.2}] * 6, {EMPTY: 0.6})
    assert unaccepted(found, {}) == found
    assert unaccepted(found, {(*EMPTY[:2], ""): 0.4}) == []
    assert unaccepted(found, {(*EMPTY[:2], ""): 0.3}) == found
    assert unaccepted(found, {("qualified_on", "empty", ""): 0.9, (*EMPTY[:2], "other"): 0.9}) == found


def test_of_a_column_only_the_first_measure_is_said() -> None:
    column = load_contracts()[INSURANCE].column("qualified_on")
    past = [{(column.name, "empty", ""): 0.0, **dates(column.name, "2010-01")}] * 6
    now: Given = {(column.name, "empty", ""): 0.9, **dates(column.name, "2009-01")}
    assert names(judged(INSURANCE, past, now)) == [(column.name, "empty")]


def test_every_measure_of_the_seed_is_compared() -> None:
    assert set(_measures(False)) == set(load_profile_limits())
