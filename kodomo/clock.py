"""Today: the day in Japan, wherever the machine stands and whatever its time zone is."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

JAPAN = ZoneInfo("Asia/Tokyo")


def today(now: dt.datetime | None = None) -> dt.date:
    """The day in Japan at a moment with its zone; by default at this one."""
    return (now or dt.datetime.now(JAPAN)).astimezone(JAPAN).date()


def day_in_japan(timestamp: float) -> dt.date:
    """The day in Japan of a POSIX timestamp in seconds."""
    return dt.datetime.fromtimestamp(timestamp, JAPAN).date()


def now_utc() -> dt.datetime:
    """The time in UTC without a zone, as it is kept."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
