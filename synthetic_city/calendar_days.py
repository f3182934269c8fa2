"""Days as integers (days since 1970-01-01), and the ways in which the city's systems write them."""

from __future__ import annotations

import datetime as dt
from functools import cache

import numpy as np

OPEN = 2_000_000
"""The end of what has not ended."""

EPOCH = dt.date(1970, 1, 1)
FIRST = (dt.date(1865, 1, 1) - EPOCH).days
LAST = (dt.date(2060, 1, 1) - EPOCH).days

ERAS = (
    (dt.date(2019, 5, 1), "R", "令和", "令", 5, 2018),
    (dt.date(1989, 1, 8), "H", "平成", "平", 4, 1988),
    (dt.date(1926, 12, 25), "S", "昭和", "昭", 3, 1925),
    (dt.date(1912, 7, 30), "T", "大正", "大", 2, 1911),
    (dt.date(1865, 1, 1), "M", "明治", "明", 1, 1867),
)

ERA_SIGNS = {"平成": "㍻", "昭和": "㍼", "大正": "㍽", "明治": "㍾"}
FULL_WIDTH = str.maketrans("0123456789.-", "０１２３４５６７８９．－")


def day(year: int, month: int = 1, day_of_month: int = 1) -> int:
    """The day number of a date."""
    return (dt.date(year, month, day_of_month) - EPOCH).days


def day_of(date: dt.date) -> int:
    """The day number of a date."""
    return (date - EPOCH).days


def years_of(days: np.ndarray) -> np.ndarray:
    """The calendar year of each day number."""
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def months_of(days: np.ndarray) -> np.ndarray:
    """Months since January 1970 of each day number."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def month_start(months: np.ndarray) -> np.ndarray:
    """The first day of each month number."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def school_years_of(days: np.ndarray) -> np.ndarray:
    """The Japanese fiscal year (from 1 April) of each day number."""
    return (months_of(days) - 3) // 12 + 1970


def completed_months(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Completed months from start to end, as ages are counted."""
    first, last = start.astype("datetime64[D]"), end.astype("datetime64[D]")
    months = months_of(end) - months_of(start)
    first_of_month = first.astype("datetime64[M]").astype("datetime64[D]")
    last_of_month = last.astype("datetime64[M]").astype("datetime64[D]")
    return months - ((last - last_of_month) < (first - first_of_month))


def add_years(days: np.ndarray, years: int) -> np.ndarray:
    """The same date some years later (29 February becomes 1 March where it must)."""
    months = months_of(days)
    day_of_month = days - month_start(months)
    moved = month_start(months + 12 * years)
    following = month_start(months + 12 * years + 1)
    return np.minimum(moved + day_of_month, following)


def _era(date: dt.date) -> tuple[str, str, str, int, int]:
    for start, letter, name, short, digit, offset in ERAS:
        if date >= start:
            return letter, name, short, digit, date.year - offset
    raise ValueError("a date before the eras known here")


def _spell(date: dt.date, style: str) -> str:
    letter, name, short, digit, year = _era(date)
    month, day_of_month = date.month, date.day
    match style:
        case "iso":
            return date.isoformat()
        case "slash":
            return f"{date.year}/{month}/{day_of_month}"
        case "compact":
            return f"{date.year:04d}{month:02d}{day_of_month:02d}"
        case "era_dots":
            return f"{letter}{year}.{month}.{day_of_month}"
        case "era_dots_padded":
            return f"{letter}{year:02d}.{month:02d}.{day_of_month:02d}"
        case "era_dots_wide":
            return chr(ord(letter) + 0xFEE0) + f"{year}.{month}.{day_of_month}".translate(FULL_WIDTH)
        case "era_compact":
            return f"{letter}{year:02d}{month:02d}{day_of_month:02d}"
        case "era_short":
            return f"{short}{year:02d}.{month:02d}.{day_of_month:02d}"
        case "era_long":
            return f"{name}{'元' if year == 1 else year}年{month}月{day_of_month}日"
        case "era_digit":
            return f"{digit}{year:02d}{month:02d}{day_of_month:02d}"
        case "era_spaced":
            return f"{letter}{year:2d}.{month:2d}.{day_of_month:2d}"
        case "era_sign":  # the sign of Reiwa is in no CP932
            if name == "令和":
                return f"R{year}.{month}.{day_of_month}"
            return f"{ERA_SIGNS[name]}{year}年{month}月{day_of_month}日"
    raise ValueError(f"no such style: {style}")


@cache
def _table(style: str) -> np.ndarray:
    return np.full(LAST - FIRST, None, dtype=object)


def spell_days(days: np.ndarray, style: str) -> np.ndarray:
    """Days in one style, as an object array; each distinct day is spelled once."""
    table, places = _table(style), days.astype(np.int64) - FIRST
    text = table[places]
    missing = text == None  # noqa: E711  (compared element by element)
    if missing.any():
        for place in np.unique(places[missing]).tolist():
            table[place] = _spell(EPOCH + dt.timedelta(days=place + FIRST), style)
        text = table[places]
    return text


def spell_month(months: np.ndarray, style: str) -> np.ndarray:
    """Month numbers spelled as 2024-04 (iso), 202404 (compact), R6.4 (era_dots) or 令和6年4月 (era_long)."""

    def one(number: int) -> str:
        year, month = 1970 + number // 12, number % 12 + 1
        letter, name, _, _, era_year = _era(dt.date(year, month, 1))
        shown_year = "元" if era_year == 1 else str(era_year)
        return {
            "iso": f"{year:04d}-{month:02d}",
            "compact": f"{year:04d}{month:02d}",
            "era_dots": f"{letter}{era_year}.{month}",
            "era_long": f"{name}{shown_year}年{month}月",
        }[style]

    known, inverse = np.unique(months, return_inverse=True)
    return np.array([one(int(number)) for number in known], dtype=object)[inverse]
