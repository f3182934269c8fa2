"""Wall A, expressions: what a question may be made of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from superset_config.security.expressions import MOST_CELLS, QueryRefusedError, check_query

COLUMNS, METRICS = ["area_name", "tier_label"], ["children"]
PARTS = (
    "columns", "metrics", "series_limit_metric", "series_columns", "orderby", "filter", "granularity", "extras",
    "annotation_layers", "time_offsets", "post_processing", "row_limit",
)  # fmt: skip


def check(**parts: Any) -> None:
    check_query(SimpleNamespace(**{**dict.fromkeys(PARTS), **parts}), COLUMNS, METRICS)


def pivot(*figures: str, columns: tuple[str, ...] = ("tier_label",)) -> dict[str, Any]:
    options = {"index": ["area_name"], "columns": list(columns), "aggregates": {figure: {} for figure in figures}}
    return {"operation": "pivot", "options": options}


@pytest.mark.parametrize("figures", [1, 3, 10, 400])
def test_pivot_makes_no_more_cells_than_a_process_holds(figures: int) -> None:
    query = SimpleNamespace(**{**dict.fromkeys(PARTS), "row_limit": 10_000})
    query.post_processing = [pivot(*map(str, range(figures))), {"operation": "flatten"}]
    check_query(query, COLUMNS, METRICS)
    assert query.row_limit**2 * figures <= MOST_CELLS
    assert query.row_limit >= 50


def test_pivot_without_columns_keeps_its_rows() -> None:
    query = SimpleNamespace(**{**dict.fromkeys(PARTS), "row_limit": 10_000})
    query.post_processing = [pivot("a", columns=())]
    check_query(query, COLUMNS, METRICS)
    assert query.row_limit == 10_000


def test_pivot_of_a_pivot_is_refused() -> None:
    for steps in ([pivot("a"), pivot("a")], [{"operation": "cum"}] * 11, [{"operation": "pivot", "options": "x"}]):
        with pytest.raises(QueryRefusedError):
            check(post_processing=steps)


@pytest.mark.parametrize("column", ["area_name", "地区", "difficulty_label", "困難の種類"])
def test_a_condition_names_a_column_by_its_name_or_label_of_this_table_or_another(column: str) -> None:
    check(metrics=["children"], filter=[{"col": column, "op": "IN", "val": ["両津"]}])


@pytest.mark.parametrize(
    "column", ["1 = 1 or area_name", "地区 or 1 = 1", "query('x')", {"sqlExpression": "地区"}, None, 1]
)
def test_a_condition_on_anything_else_is_refused(column: Any) -> None:
    with pytest.raises(QueryRefusedError):
        check(metrics=["children"], filter=[{"col": column, "op": "IN", "val": ["両津"]}])


@pytest.mark.parametrize("column", ["地区", "difficulty_label"])
def test_shown_columns_exist_in_the_table(column: str) -> None:
    with pytest.raises(QueryRefusedError):
        check(columns=[column])


def test_rows_are_counted_and_nothing_else_is_counted_in_sql() -> None:
    count = {"expressionType": "SQL", "sqlExpression": "COUNT(*)", "label": "COUNT(*)"}
    check(metrics=[count])
    for other in ({"sqlExpression": "COUNT(*) filter (where 1 = 1)"}, {"label": "x"}, {"hasCustomLabel": True}):
        with pytest.raises(QueryRefusedError):
            check(metrics=[{**count, **other}])
