"""Judges the values of a delivery by their columns' types: what is wrong with which value, and which rows are rejected.

Only values that are not plainly of their type are judged one by one, and each of them once, by the macros that the
models read values with.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kodomo.contract import Column, Contract, lists_with_none, load_code_lists
from kodomo.macros import load_macros

INTERPRETED = "interpreted_date"
"""The issue of a date that is used as the year it means."""
UNKNOWN_DATE = "unknown_date"
"""The issue of a required date that is written as unknown: the row is loaded without it."""
LISTED = (INTERPRETED, UNKNOWN_DATE)
MISSING = "missing_required"
_NOTHING_BAD: dict[str, BadValue] = {}


@dataclass(frozen=True)
class Fault:
    """A value of a row that is not what its column holds, by the row's position among those delivered."""

    position: int
    column: Column
    code: str


@dataclass(frozen=True)
class Judgement:
    """What is wrong with the rows of a delivery."""

    rejected: list[Fault]
    """By position, for each row to reject its first fault in the order of the columns."""
    issues: list[Fault]
    """Of the other rows: what is loaded without a value, and what is used and listed."""
    days: pa.Table
    """Each text of the columns of dates (value) with the day that it means (day), if any."""


@dataclass(frozen=True)
class BadValue:
    """Why a value is not of its column's type, by its reason code, and whether that rejects its row."""

    code: str
    rejects: bool


def value_fault(column: Column, value: str, is_required: str, bounds: tuple[str, str] | None = None) -> str:
    """SQL: the reason code of a value that is not of its column's type, or null.

    ``value``: an SQL expression that is not null, ``is_required``: an SQL condition, ``bounds``: what a number must
    lie between, if not the column's own. Where a value is empty, its column says whether that is a fault. An
    code of ``LISTED`` is no fault: it asks for a look, and rejects nothing.
    """
    macros = load_macros()
    kind = column.type
    if kind == "id":
        # Nearly all ids pass one look.
        usual = "0*[1-8][0-9]*" if _is_of_a_person(column) else "[A-Za-z0-9]*[0-9][0-9-]*"
        if column.width:
            is_none = f"{macros['normalise_id'](value, column.width)} is null"
        elif column.is_external:
            is_none = f"({macros['is_nothing'](value)} or {macros['match_number'](value)} is null)"
        else:
            is_none = macros["is_nothing"](value)
        return (
            f"case when regexp_full_match({value}, '{usual}') then null "
            f"when {macros['is_destroyed_id'](value)} or {macros['is_damaged_id'](value, column.width)} "
            f"then 'damaged_id' when {is_required} and {is_none} then 'missing_required' end"
        )
    if kind == "date":
        listed = f"when {macros['is_interpreted_date'](value)} then '{INTERPRETED}'" if column.is_end else ""
        return (
            f"case {macros['date_status'](value, column.is_end)} when 'impossible' then 'impossible_date' "
            f"when 'none' then case when {is_required} then 'missing_required' end "
            f"when 'unknown' then case when {is_required} then '{UNKNOWN_DATE}' end "
            f"when 'ok' then case {listed or 'when false then null'} end end"
        )
    if kind == "month":
        return (
            f"case {macros['month_status'](value)} when 'impossible' then 'invalid_month' "
            f"when 'none' then case when {is_required} then 'missing_required' end end"
        )
    if kind == "flag":
        return (
            f"case when {macros['parse_flag'](value)} is null and not {macros['is_nothing'](value)} "
            "then 'unknown_flag' end"
        )
    if kind in {"int", "decimal"}:
        number = macros["parse_integer" if kind == "int" else "parse_decimal"](value, column.unit)
        least, most = bounds or column.plausible or (None, None)
        return (
            f"case {macros['number_status'](value, number, least, most)} when 'impossible' then 'not_a_number' "
            f"when 'implausible' then 'implausible_value' "
            f"when 'none' then case when {is_required} then 'missing_required' end end"
        )
    if kind == "code" and column.code_list not in lists_with_none():
        labels = ", ".join(
            "'" + label.replace("'", "''") + "'" for label in load_code_lists().get(column.code_list or "", {}).values()
        )
        is_code = f"{value} in ({labels})" if labels else "false"
        return (
            f"case when {is_required} and {macros['is_nothing'](value)} and not {is_code} then 'missing_required' end"
        )
    # Any text is of the other types.
    return "cast(null as varchar)"


def judge(connection: duckdb.DuckDBPyConnection, contract: Contract, values: Mapping[str, pa.Array]) -> Judgement:
    """Judge the rows of a delivery. ``values``: of every column of the contract, normalised."""
    row_count = len(next(iter(values.values())))
    bad, days = read_values(connection, contract, values)
    is_deleted = _deleted_rows(connection, contract, values)
    is_open = np.ones(row_count, dtype=bool)
    rejected: list[Fault] = []
    for column in contract.columns:
        # A row that was taken back counts as never written, whatever it holds, unless it hides which row that is.
        may_reject = is_open if is_deleted is None or column.name in contract.row_key else is_open & ~is_deleted
        codes = {value: fault.code for value, fault in bad.get(column.name, _NOTHING_BAD).items() if fault.rejects}
        faults = [*_rows_with(values[column.name], codes)]
        if column.required and values[column.name].null_count:
            empty = np.flatnonzero(pc.is_null(values[column.name]).to_numpy(zero_copy_only=False))
            faults += [(int(position), MISSING) for position in empty]
        rejections = [Fault(position, column, code) for position, code in faults if may_reject[position]]
        is_open[[fault.position for fault in rejections]] = False
        rejected += rejections
    issues = [
        Fault(position, column, code)
        for column in contract.columns
        for position, code in _rows_with(values[column.name], _listed(column, bad.get(column.name, _NOTHING_BAD)))
        if is_open[position]
    ]
    return Judgement(sorted(rejected, key=lambda fault: fault.position), issues, days)


def _listed(column: Column, bad: Mapping[str, BadValue]) -> dict[str, str]:
    """The values that are no reason for a reject, but are listed, with their codes."""
    return {value: fault.code for value, fault in bad.items() if not column.required or fault.code in LISTED}


def _rows_with(values: pa.Array, codes: Mapping[str, str]) -> Iterable[tuple[int, str]]:
    """Position and code of the rows that have one of the values."""
    if not codes:
        return
    meanings = list(codes.values())
    indices = pc.fill_null(pc.index_in(values, pa.array(list(codes), pa.string())), -1).to_numpy(zero_copy_only=False)
    for position in np.flatnonzero(indices >= 0):
        yield int(position), meanings[indices[position]]


def _deleted_rows(
    connection: duckdb.DuckDBPyConnection, contract: Contract, values: Mapping[str, pa.Array]
) -> np.ndarray | None:
    """Mask of the rows that were taken back; None where none was."""
    if contract.row_state is None:
        return None
    flags = values[contract.row_state.deleted]
    connection.register("delivered_values", pa.table({"value": pc.unique(flags)}))
    sql = f"select value from delivered_values where {load_macros()['parse_flag']('value')}"
    deleted = [value for (value,) in connection.execute(sql).fetchall()]
    connection.unregister("delivered_values")
    return pc.is_in(flags, pa.array(deleted, pa.string())).to_numpy(zero_copy_only=False) if deleted else None


def _is_of_a_person(column: Column) -> bool:
    """Whether an id is the number of a person or a household, which is never zeros only or nines only."""
    return column.width is not None or column.is_external


def _reading(column: Column) -> tuple[Hashable, ...]:
    """What columns must have in common to be judged by one statement."""
    code_list = column.code_list if column.type == "code" else None
    return column.type, column.unit, column.width, column.is_external, column.is_end, code_list


def _is_judged(column: Column) -> bool:
    """Whether a value of the column may be none, or one that rejects its row."""
    if column.type in {"flag", "code"}:
        return column.required == (column.type == "code")
    return column.type in {"id", "date", "month", "int", "decimal"}


def bad_values(
    connection: duckdb.DuckDBPyConnection, contract: Contract, values: Mapping[str, pa.Array]
) -> dict[str, dict[str, BadValue]]:
    """By column, what is wrong with which of its values; an empty value is none of them."""
    return read_values(connection, contract, values)[0]


def read_values(
    connection: duckdb.DuckDBPyConnection, contract: Contract, values: Mapping[str, pa.Array]
) -> tuple[dict[str, dict[str, BadValue]], pa.Table]:
    """The bad values by column, and the day that each text of a date means (value, day)."""
    # One statement per kind of reading: to plan the reading of a date takes as long as to read many.
    groups: dict[tuple, list[tuple[int, Column]]] = {}
    for position, column in enumerate(contract.columns):
        if _is_judged(column) and values[column.name].null_count < len(values[column.name]):
            groups.setdefault(_reading(column), []).append((position, column))
    doubtful = {
        column.name: _doubtful(values[column.name], column) for columns in groups.values() for _, column in columns
    }
    dates = [column.name for columns in groups.values() for _, column in columns if column.type == "date"]
    days = _days(connection, [doubtful[name] for name in dates])
    if dates:
        strange = days.filter(pc.invert(days["is_plain"]))["value"]
        doubtful |= {name: doubtful[name].filter(pc.is_in(doubtful[name], strange)) for name in dates}
    bad: dict[str, dict[str, BadValue]] = {}
    for columns in groups.values():
        judged = pa.table(
            {
                "column_position": pa.array(
                    [position for position, column in columns for _ in range(len(doubtful[column.name]))], pa.int32()
                ),
                "value": pa.chunked_array([doubtful[column.name] for _, column in columns], pa.string()),
            }
        )
        if len(judged):
            for position, value, code, rejects in _judge_values(connection, dict(columns), judged):
                bad.setdefault(contract.columns[position].name, {})[value] = BadValue(code, rejects)
    return bad, days.select(["value", "day"])


def _doubtful(values: pa.Array, column: Column) -> pa.Array:
    """The distinct values of a column, without numbers of digits that are plainly some person's or record's."""
    if column.type == "id":
        is_plain = pc.ascii_is_decimal(values)
        if _is_of_a_person(column):
            is_plain = pc.and_(is_plain, pc.not_equal(pc.ascii_trim(values, "09"), ""))
        values = values.filter(pc.invert(is_plain))
    return pc.unique(values).drop_null()


def _days(connection: duckdb.DuckDBPyConnection, values: list[pa.Array]) -> pa.Table:
    """Each value with its day (null for what is no date), and whether it is plain: the same day where it is an end."""
    rows: list[tuple] = []
    if values:
        parse = load_macros()["parse_date"]
        connection.register("delivered_values", pa.table({"value": pc.unique(pa.chunked_array(values, pa.string()))}))
        # The engine plans what it returns as a table twice, and to plan this takes longer than to read the rows.
        rows = connection.execute(
            f"select value, {parse('value')} as day, {parse('value', True)} as end_day from delivered_values"
        ).fetchall()
        connection.unregister("delivered_values")
    texts, days, end_days = zip(*rows, strict=True) if rows else ((), (), ())
    table = pa.table({"value": pa.array(texts, pa.string()), "day": pa.array(days, pa.date32())})
    is_plain = pc.fill_null(pc.equal(table["day"], pa.array(end_days, pa.date32())), False)
    return table.append_column("is_plain", is_plain)


def _judge_values(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[int, Column], judged: pa.Table
) -> list[tuple[int, str, str, bool]]:
    """Column position, value, code and whether it rejects its row, of the values that are not of their type.

    ``columns``: of one reading, by position; ``judged``: column_position and value.
    """
    required = ", ".join(str(position) for position, column in columns.items() if column.required)
    is_required = f"column_position in ({required})" if required else "false"
    first = next(iter(columns.values()))
    fault = value_fault(
        first, "value", is_required, _bounds({position: column.plausible for position, column in columns.items()})
    )
    is_destroyed = load_macros()["is_destroyed_id"]("value") if first.type == "id" else "false"
    connection.register("delivered_values", judged)
    bad = connection.execute(
        "select column_position, value, code, "
        f"code not in {LISTED} and ({is_required} or {is_destroyed}) as rejects "
        f"from (select column_position, value, {fault} as code from delivered_values) where code is not null"
    ).fetchall()
    connection.unregister("delivered_values")
    return bad


def _bounds(plausible: Mapping[int, tuple[float, float] | None]) -> tuple[str, str] | None:
    """SQL: the smallest and the greatest plausible number by column_position; None where no column has any."""
    given = {position: pair for position, pair in plausible.items() if pair is not None}
    if not given:
        return None
    least = " ".join(f"when {position} then {pair[0]}" for position, pair in given.items())
    most = " ".join(f"when {position} then {pair[1]}" for position, pair in given.items())
    return f"case column_position {least} else -1e12 end", f"case column_position {most} else 1e12 end"
