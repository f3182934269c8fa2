"""Values as people in Japan write them."""

from __future__ import annotations

import datetime as dt


def japanese_date(value: dt.date | str | None) -> str:
    """2026年4月1日, from a date or its ISO text; a text that is no date as it is, and nothing for none."""
    if isinstance(value, str):
        try:
            value = dt.date.fromisoformat(value)
        except ValueError:
            return value
    return f"{value.year}年{value.month}月{value.day}日" if value else ""
