"""Today: the day in Japan, wherever the machine stands and whatever its time zone is."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

JAPAN = ZoneInfo("Asia/Tokyo")


def today() -> dt.date:
    """The day in Japan at this moment."""
    return dt.datetime.now(JAPAN).date()


def day_in_japan(timestamp: float) -> dt.date:
    """The day in Japan of a POSIX timestamp in seconds."""
    return dt.datetime.fromtimestamp(timestamp, JAPAN).date()
