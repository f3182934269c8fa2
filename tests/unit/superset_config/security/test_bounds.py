"""Questions that no calendar or page can ask are refused before Superset works on them."""

from __future__ import annotations

import pytest

from superset_config.security.web import _has_bounded_dates, has_names, is_bounded_range


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


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"columns": None, "metrics": None},
        {"columns": ["area_name", {"label": "as_of_on", "sqlExpression": "as_of_on", "expressionType": "SQL"}]},
        {"metrics": ["children", {"expressionType": "SQL", "sqlExpression": "COUNT(*)", "label": "COUNT(*)"}]},
        {"metrics": [{"expressionType": "SIMPLE", "column": {"column_name": "x"}, "aggregate": "SUM"}]},
    ],
)
def test_questions_of_charts_have_names(query: dict) -> None:
    assert has_names(query)


@pytest.mark.parametrize(
    "query",
    [
        {"columns": [None]},
        {"columns": [{"label": ""}]},
        {"columns": [{"label": ["x"]}]},
        {"columns": [[]]},
        {"columns": "area_name"},
        {"groupby": [1]},
        {"metrics": [{"label": "x"}]},
        {"metrics": [{"expressionType": "SIMPLE", "column": {}}]},
        {"metrics": [True]},
    ],
)
def test_nameless_columns_and_metrics_are_refused(query: dict) -> None:
    assert not has_names(query)
