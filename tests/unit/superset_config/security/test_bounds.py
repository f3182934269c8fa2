"""Questions that no calendar or page can ask are refused before Superset works on them."""

from __future__ import annotations

import pytest

from superset_config.security.web import _has_bounded_dates, is_bounded_range


@pytest.mark.parametrize(
    "text", ["No filter", "Last year", "Last 3 years", "2025-04-01 : 2026-03-31", "2025-04-01T00:00:00 : now", ""]
)
def test_ranges_of_a_calendar_are_taken(text: str) -> None:
    assert is_bounded_range(text)


@pytest.mark.parametrize(
    "text", ["Last 99999999999 years", "100000-01-01 : now", "now : 9" + "9" * 40, "Last year" * 40]
)
def test_ranges_without_end_are_refused(text: str) -> None:
    assert not is_bounded_range(text)
    assert not _has_bounded_dates({"time_range": text})
    assert not _has_bounded_dates({"filters": [{"col": "x", "op": "temporal_range", "val": text}]})


def test_numbers_of_people_are_no_ranges() -> None:
    assert _has_bounded_dates({"filters": [{"col": "person_id", "op": "==", "val": "000000000012345"}, "x", None]})
    assert not _has_bounded_dates({"time_range": ["2025-04-01"]})
