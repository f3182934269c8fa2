"""Wall A, expressions: staff ask with columns, saved metrics and simple conditions; free SQL is refused."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from typing import Any

from superset_config.asset_files import read_assets

FREE_SQL_JA = "自由なSQLは使用できません。"
OPERATORS = {
    "==",
    "!=",
    ">",
    "<",
    ">=",
    "<=",
    "LIKE",
    "NOT LIKE",
    "ILIKE",
    "NOT ILIKE",
    "IS NULL",
    "IS NOT NULL",
    "IN",
    "NOT IN",
    "IS TRUE",
    "IS FALSE",
    "TEMPORAL_RANGE",
}
AGGREGATES = {"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"}
GRAINS = {None, "PT1S", "PT1M", "PT1H", "P1D", "P1W", "P1M", "P3M", "P1Y"}
# What the charts do with an answer; others can make millions of rows out of a few.
AFTERWARDS = {
    "aggregate", "compare", "contribution", "cum", "diff", "flatten", "pivot", "rank", "rename", "rolling", "select",
    "sort",
}  # fmt: skip
MOST_STEPS = 10
MOST_CELLS = 1_000_000
"""Of the table that a pivot makes."""
# How many rows there are, as Superset itself asks before it shows the records behind a figure.
ROW_COUNT = {"expressionType": "SQL", "sqlExpression": "COUNT(*)", "label": "COUNT(*)"}
# The condition of a filter without a choice: no rows.
NOTHING = {"", "1=0"}


class QueryRefusedError(Exception):
    """A request that holds free SQL."""


def check_query(query: Any, columns: Iterable[str], metrics: Iterable[str]) -> None:
    """Raise QueryRefusedError when a query object of Superset holds anything but names the dataset has.

    ``columns`` and ``metrics`` are the dataset's.
    """
    checker = _Checker(set(columns), set(metrics))
    for column in query.columns or []:
        checker.column(column)
    for metric in query.metrics or []:
        checker.metric(metric)
    if query.series_limit_metric:
        checker.metric(query.series_limit_metric)
    for column in query.series_columns or []:
        checker.column(column)
    for entry in query.orderby or []:
        checker.order(entry)
    for condition in query.filter or []:
        checker.condition(condition)
    if query.granularity:
        checker.column(query.granularity)
    checker.extras(query.extras or {})
    if query.annotation_layers or query.time_offsets:
        raise QueryRefusedError
    bound_answer(query)


def bound_answer(query: Any) -> None:
    """Refuse steps that charts do not take, and lower the rows that a pivot starts from.

    A pivot makes a row of each value of some columns and a column of each value of others: out of n rows up to n x n
    cells for each figure, 5 GB out of 10,000 rows.
    """
    steps = query.post_processing or []
    if len(steps) > MOST_STEPS:
        raise QueryRefusedError
    pivots = 0
    for step in steps:
        if not isinstance(step, dict) or step.get("operation") not in AFTERWARDS:
            raise QueryRefusedError
        options = step.get("options") or {}
        if not isinstance(options, dict):
            raise QueryRefusedError
        if step["operation"] == "pivot":
            pivots += 1
            if options.get("columns"):
                figures = max(1, len(options.get("aggregates") or ()))
                rows = math.isqrt(MOST_CELLS // figures)
                query.row_limit = min(query.row_limit or rows, rows)
    if pivots > 1:
        raise QueryRefusedError


@cache
def filterable() -> frozenset[str]:
    """What a condition may name: a column of any table, or its label, which a value that was pressed in a bar sends.

    A dashboard sends each condition to all its charts; Superset leaves out those on what a chart's table lacks.
    """
    columns = [column for table in read_assets().models.values() for column in table.values()]
    return frozenset(name for column in columns for name in (column.name, column.label))


class _Checker:
    def __init__(self, columns: set[str], metrics: set[str]) -> None:
        self.columns, self.metrics = columns, metrics

    def column(self, column: Any) -> None:
        """A column's name, or the form in which the browser sends the axis of a chart."""
        if isinstance(column, dict):
            if set(column) - {
                "columnType",
                "sqlExpression",
                "label",
                "expressionType",
                "timeGrain",
                "isColumnReference",
                "hasCustomLabel",
                "datasourceWarning",
                "optionName",
            }:
                raise QueryRefusedError
            if not isinstance(column.get("label", ""), str) or column.get("timeGrain") not in GRAINS:
                raise QueryRefusedError
            column = column.get("sqlExpression")
        if not isinstance(column, str) or column not in self.columns:
            raise QueryRefusedError

    def metric(self, metric: Any) -> None:
        """A saved metric's name, or an aggregate of one column."""
        if isinstance(metric, str):
            if metric not in self.metrics:
                raise QueryRefusedError
            return
        if metric == ROW_COUNT:
            return
        if not isinstance(metric, dict) or metric.get("expressionType") != "SIMPLE":
            raise QueryRefusedError
        name = (metric.get("column") or {}).get("column_name")
        if metric.get("aggregate") not in AGGREGATES or name not in self.columns:
            raise QueryRefusedError
        if (metric.get("column") or {}).get("expression"):
            raise QueryRefusedError

    def order(self, entry: Any) -> None:
        """A column or a metric, with the direction."""
        if not isinstance(entry, (list, tuple)) or len(entry) != 2 or not isinstance(entry[1], bool):
            raise QueryRefusedError
        name = entry[0]
        if isinstance(name, str) and name in self.columns | self.metrics:
            return
        if isinstance(name, dict) and "aggregate" not in name:
            self.column(name)
            return
        self.metric(name)

    def condition(self, condition: Any) -> None:
        """A column, an operator and values."""
        column = condition.get("col")
        if not isinstance(column, str) or column not in filterable():
            self.column(column)
        if str(condition.get("op", "")).upper() not in OPERATORS:
            raise QueryRefusedError
        value = condition.get("val")
        if any(isinstance(one, (dict, list)) for one in (value if isinstance(value, list) else [value])):
            raise QueryRefusedError

    def extras(self, extras: dict[str, Any]) -> None:
        """Conditions in SQL are refused, except the one that selects no rows."""
        for part in ("where", "having"):
            text = str(extras.get(part) or "")
            if "".join(text.split()).strip("()") not in NOTHING:
                raise QueryRefusedError
