"""The day in Japan."""

from __future__ import annotations

import datetime as dt

from kodomo import clock


def test_today_is_the_day_in_japan() -> None:
    assert clock.today(dt.datetime(2026, 3, 31, 14, 59, tzinfo=dt.UTC)) == dt.date(2026, 3, 31)
    assert clock.today(dt.datetime(2026, 3, 31, 15, 0, tzinfo=dt.UTC)) == dt.date(2026, 4, 1)
    assert abs(clock.today() - dt.datetime.now(dt.UTC).date()) <= dt.timedelta(days=1)


def test_moment_of_a_file_is_the_day_in_japan() -> None:
    assert clock.day_in_japan(dt.datetime(2025, 12, 31, 15, 0, tzinfo=dt.UTC).timestamp()) == dt.date(2026, 1, 1)
    assert clock.day_in_japan(dt.datetime(2025, 12, 31, 14, 59, tzinfo=dt.UTC).timestamp()) == dt.date(2025, 12, 31)
