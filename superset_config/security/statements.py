"""Wall B, statements: what may be asked of a published file is one SELECT over the scope's tables, nothing else.

Everything is refused that is not listed: kinds of syntax, functions, tables, types.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import sqlglot
from sqlglot import expressions as exp
from sqlglot.errors import SqlglotError

MAX_LENGTH = 100_000
MOST_LISTS = 100
REFUSED_JA = "この問い合わせは許可されていません。"


class StatementRefusedError(Exception):
    """A statement that is not allowed; the message is for staff and names nothing of the statement."""

    def __init__(self) -> None:
        super().__init__(REFUSED_JA)


SYNTAX = {
    exp.Select,
    exp.From,
    exp.Join,
    exp.Where,
    exp.Group,
    exp.Having,
    exp.Order,
    exp.Ordered,
    exp.Limit,
    exp.Offset,
    exp.Distinct,
    exp.Subquery,
    exp.Table,
    exp.TableAlias,
    exp.Column,
    exp.Identifier,
    exp.Alias,
    exp.Star,
    exp.Literal,
    exp.Null,
    exp.Boolean,
    exp.Paren,
    exp.Tuple,
    exp.And,
    exp.Or,
    exp.Not,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.Is,
    exp.In,
    exp.Between,
    exp.Like,
    exp.ILike,
    exp.Escape,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.IntDiv,
    exp.Mod,
    exp.Neg,
    exp.DPipe,
    exp.Filter,
    exp.Case,
    exp.If,
    exp.DataType,
    exp.DataTypeParam,
    exp.Interval,
    exp.Var,
    exp.Cast,
    exp.TryCast,
}
FUNCTIONS = {
    exp.Count,
    exp.Sum,
    exp.Avg,
    exp.Min,
    exp.Max,
    exp.Coalesce,
    exp.Nullif,
    exp.Least,
    exp.Greatest,
    exp.Floor,
    exp.Ceil,
    exp.Round,
    exp.Abs,
    exp.Lower,
    exp.Upper,
    exp.Concat,
    exp.Contains,
    exp.Extract,
    exp.DateTrunc,
    exp.TimestampTrunc,
    exp.Median,
    exp.StrToTime,
    exp.StrToDate,
    exp.TsOrDsToDate,
    exp.TimeToStr,
}
NAMED_FUNCTIONS = {"nullif", "strptime"}
TYPES = {
    exp.DataType.Type.VARCHAR,
    exp.DataType.Type.TEXT,
    exp.DataType.Type.INT,
    exp.DataType.Type.BIGINT,
    exp.DataType.Type.DOUBLE,
    exp.DataType.Type.FLOAT,
    exp.DataType.Type.DECIMAL,
    exp.DataType.Type.BOOLEAN,
    exp.DataType.Type.DATE,
    exp.DataType.Type.TIMESTAMP,
    exp.DataType.Type.TIMESTAMPNTZ,
    exp.DataType.Type.INTERVAL,
}


def check_statement(sql: str, tables: Collection[str]) -> None:
    """Raise StatementRefusedError unless ``sql`` is one SELECT over ``tables`` in allowed words."""
    _check(sql, frozenset(tables))


def is_allowed(sql: str, tables: Collection[str]) -> bool:
    """Whether ``check_statement`` lets it through."""
    try:
        check_statement(sql, tables)
    except StatementRefusedError:
        return False
    return True


@lru_cache(maxsize=2048)
def _check(sql: str, tables: frozenset[str]) -> None:
    # To parse places in a list within each other takes ever longer, and nothing that is allowed has any.
    if len(sql) > MAX_LENGTH or sql.count("[") > MOST_LISTS or "\0" in sql:
        raise StatementRefusedError
    try:
        statements = sqlglot.parse(sql, dialect="duckdb")
    except (SqlglotError, RecursionError, ValueError) as error:
        raise StatementRefusedError from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        raise StatementRefusedError
    for node in statements[0].walk():
        if not _is_allowed(node, tables):
            raise StatementRefusedError


def _is_allowed(node: exp.Expression, tables: frozenset[str]) -> bool:
    kind = type(node)
    if kind is exp.Anonymous:
        return str(node.this).lower() in NAMED_FUNCTIONS
    if kind not in SYNTAX and kind not in FUNCTIONS:
        return False
    if kind is exp.Table:
        return _is_allowed_table(node, tables)
    if kind is exp.DataType:
        return node.this in TYPES
    if kind is exp.Column:
        # A column's qualifier is a table or an alias; a catalogue or schema before it is refused.
        return not node.args.get("catalog") and node.text("db") in {"", "main"}
    if kind in {exp.Select, exp.Subquery}:
        return not any(node.args.get(part) for part in ("with", "with_", "into", "sample", "pivots", "laterals"))
    if kind is exp.Star:
        return not any(node.args.values())
    return True


def _is_allowed_table(node: exp.Table, tables: frozenset[str]) -> bool:
    if not isinstance(node.this, exp.Identifier) or node.args.get("catalog"):
        return False
    if {key for key, value in node.args.items() if value} - {"this", "db", "alias"}:
        return False
    return node.text("db") in {"", "main"} and node.name in tables
