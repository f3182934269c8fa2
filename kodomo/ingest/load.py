"""One delivery from its bytes to raw: every record is loaded, or kept as a reject with its reason."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from kodomo.contract import Column, Contract, Layout, lists_with_none, load_code_lists
from kodomo.ingest.files import ParsedFile, Reject, readable
from kodomo.macros import load_macros

JUDGED_BY_VALUE = ("id", "date", "month", "int", "decimal", "flag")
"""The column types of which a value may be none."""
INTERPRETED = "interpreted_date"
"""The issue of a date that is used as the year it means."""


@dataclass(frozen=True)
class Loaded:
    """How many records went which way: ``loaded + rejected`` is what was read."""

    loaded: int
    rejected: int


def normalised(values: pa.Array) -> pa.Array:
    """NFKC, trimmed, runs of spaces folded to one, empty as null.

    Done once per distinct value: extracts repeat themselves.
    """
    encoded = values.dictionary_encode()
    text = pc.utf8_normalize(encoded.dictionary, form="NFKC")
    text = pc.utf8_trim_whitespace(pc.replace_substring_regex(text, r"[\s\p{Z}\x0b\x1c-\x1f\x85]+", " "))
    # Arrow leaves a half-width kana and its dakuten apart.
    is_wide = pc.fill_null(pc.invert(pc.string_is_ascii(text)), False)
    # What has no width is no character of a value: marks of byte order and of direction, soft hyphens.
    wide = pc.replace_substring_regex(text.filter(is_wide), r"[\x{200B}-\x{200F}\x{2060}\x{FEFF}\x{AD}]", "")
    composed = [unicodedata.normalize("NFC", value).strip() for value in wide.to_pylist()]
    text = pc.replace_with_mask(text, is_wide, pa.array(composed, pa.string()))
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    return pc.take(text, encoded.indices)


def contract_values(
    contract: Contract, layout: Layout, delivered: Mapping[str, pa.Array], row_count: int
) -> dict[str, pa.Array]:
    """Every column of the contract, normalised, in its order: as the layout's values mean, with nulls for what the
    file does not have, and with the value of a fallback column where a column is empty.
    """
    nothing = pa.nulls(row_count, pa.string())
    values = {
        column.name: _as_contract_writes(normalised(delivered[column.name]), layout.values.get(column.name))
        if column.name in delivered
        else nothing
        for column in contract.columns
    }
    return {
        column.name: pc.coalesce(
            values[column.name], *(_together([values[name] for name in names]) for names in column.fallback)
        )
        for column in contract.columns
    }


def _as_contract_writes(values: pa.Array, meanings: Mapping[str, str] | None) -> pa.Array:
    if not meanings:
        return values
    index = pc.index_in(values, pa.array(list(meanings), pa.string()))
    return pc.coalesce(pc.take(pa.array(list(meanings.values()), pa.string()), index), values)


def _texts_as_delivered(column: Column, values: Mapping[str, pa.Array], delivered: Mapping[str, pa.Array]) -> pa.Array:
    """The text as delivered of a column, or of the fallback that stands in its place."""
    nothing = pa.nulls(len(values[column.name]), pa.string())
    texts = delivered.get(column.name, nothing)
    for names in column.fallback:
        texts = pc.coalesce(_filled(texts), _together([_filled(delivered.get(name, nothing)) for name in names]))
    return texts


def _filled(texts: pa.Array) -> pa.Array:
    """The texts that hold more than spaces, the others as null."""
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(texts), ""), pa.scalar(None, pa.string()), texts)


def _together(parts: list[pa.Array]) -> pa.Array:
    """Texts of one row with a space between them; null where all are."""
    if len(parts) == 1:
        return parts[0]
    return _filled(
        pc.utf8_trim_whitespace(pc.binary_join_element_wise(*(pc.fill_null(part, "") for part in parts), " "))
    )


def value_fault(column: Column, value: str, is_required: str, bounds: tuple[str, str] | None = None) -> str:
    """SQL: the reason code of a value that is not of its column's type, or null.

    ``value``: an SQL expression that is not null, ``is_required``: an SQL condition, ``bounds``: what a number must
    lie between, if not the column's own. Where a value is empty, its column says whether that is a fault. An
    ``interpreted_date`` is no fault: the value is used, and listed.
    """
    macros = load_macros()
    kind = column.type
    if kind == "id":
        # Nearly all ids pass one look.
        usual = "0*[1-8][0-9]*" if column.width else "[A-Za-z0-9]*[0-9][0-9-]*"
        is_none = (
            f"{macros['normalise_id'](value, column.width)} is null" if column.width else macros["is_nothing"](value)
        )
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


def _row_fault(column: Column, position: int, has_bad_values: bool) -> str | None:
    """SQL: the reason code that rejects a row for this column, or null."""
    name = column.name
    if column.type == "id" and not column.required:
        return f"case when {load_macros()['is_destroyed_id'](name)} then 'damaged_id' end"
    if not column.required:
        return None
    if column.type in {"id", "code"}:
        return f"case when {name} is null then 'missing_required' else {value_fault(column, name, 'true')} end"
    otherwise = f"else nullif(bad_{position}.code, '{INTERPRETED}')" if has_bad_values else ""
    return f"case when {name} is null then 'missing_required' {otherwise} end"


def _reading(column: Column) -> tuple[str, str | None, int | None, bool]:
    """What columns must have in common to be judged by one statement."""
    return column.type, column.unit, column.width, column.is_end


def _unless_deleted(contract: Contract, column: Column, fault: str | None) -> str | None:
    """SQL: the fault, but of a row that was taken back only where it hides which row that is."""
    if fault is None or contract.row_state is None or column.name in contract.row_key:
        return fault
    return f"case when not coalesce({load_macros()['parse_flag'](contract.row_state.deleted)}, false) then {fault} end"


def load(connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_id: str, parsed: ParsedFile) -> Loaded:
    """Insert the file's rows into raw.<source> and its rejects into raw.rejects, within the caller's transaction."""
    arrays: dict[str, pa.Array] = {"line_number": pa.array(parsed.line_numbers, pa.int64())}
    targets: list[str] = []
    values = contract_values(contract, parsed.layout, parsed.columns, len(parsed.line_numbers))
    for column in contract.columns:
        arrays[column.name] = values[column.name]
        targets.append(column.name)
        if column.keeps_text:
            arrays[f"{column.name}_as_delivered"] = _texts_as_delivered(column, values, parsed.columns)
            targets.append(f"{column.name}_as_delivered")
    arrays["position"] = pa.array(range(len(parsed.line_numbers)), pa.int64())
    connection.register("delivered_file", pa.table(arrays))
    try:
        _judge(connection, contract)
        faulty = connection.execute("select position, column_position, fault from judged order by position").fetchall()
        names = ", ".join(targets)
        connection.execute(
            f"insert into raw.{contract.source_id} (delivery_id, line_number, {names}) "
            f"select ?, line_number, {names} from delivered_file anti join judged using (position)",
            [delivery_id],
        )
        _record_issues(connection, contract, delivery_id)
    finally:
        for table in ("delivered_values", "bad_values", "judged"):
            connection.execute(f"drop table if exists {table}")
        connection.unregister("delivered_file")
    rejects = parsed.rejects + [
        Reject(
            int(parsed.line_numbers[position]),
            fault,
            contract.columns[column_position].heading,
            readable(parsed.raw_records(position), parsed.text_encoding),
            parsed.raw_records(position),
        )
        for position, column_position, fault in faulty
    ]
    if rejects:
        rejects.sort(key=lambda reject: reject.line_number)
        table = pa.table(
            {
                "line_number": [reject.line_number for reject in rejects],
                "reason_code": [reject.reason_code for reject in rejects],
                "column_name": pa.array([reject.column_name for reject in rejects], pa.string()),
                "record": [reject.record for reject in rejects],
                "record_bytes": pa.array([reject.record_bytes for reject in rejects], pa.binary()),
            }
        )
        connection.register("rejected_records", table)
        connection.execute(
            "insert into raw.rejects by name select ? as delivery_id, ? as source_id, * from rejected_records",
            [delivery_id, contract.source_id],
        )
        connection.unregister("rejected_records")
    for heading in parsed.unknown_headings:
        connection.execute(
            "insert into raw.unknown_headings values (?, ?, ?)", [delivery_id, contract.source_id, heading]
        )
    return Loaded(parsed.rows_read - len(rejects), len(rejects))


def _judge(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Make temporary tables from ``delivered_file``: ``delivered_values`` (the values of each typed column),
    ``bad_values`` (what is wrong with which of them) and ``judged`` (the rows to reject, with the first fault in the
    order of the columns).
    """
    typed = {
        i: column
        for i, column in enumerate(contract.columns)
        if column.type in JUDGED_BY_VALUE
        and not (column.type == "flag" and column.required)
        and not (column.type == "id" and (column.required or column.width is None))
    }
    # Once per distinct value. A table of its own: the optimiser moves a condition into a subquery, and would judge
    # every row before it looks for the distinct ones.
    values = [
        f"select distinct {i} as column_position, {name} as value from delivered_file where {name} is not null"
        for i, name in ((i, column.name) for i, column in typed.items())
    ]
    values.append("select 0 as column_position, '' as value where false")
    connection.execute(f"create or replace temp table delivered_values as {' union all '.join(values)}")
    # One statement per kind of reading: to plan the reading of a date takes as long as to read many.
    judgements = ["select 0 as column_position, '' as value, '' as code where false"]
    groups: dict[tuple, list[int]] = {}
    for i, column in typed.items():
        groups.setdefault(_reading(column), []).append(i)
    for positions in groups.values():
        required = ", ".join(str(i) for i in positions if typed[i].required)
        fault = value_fault(
            typed[positions[0]],
            "value",
            f"column_position in ({required})" if required else "false",
            _bounds({i: typed[i].plausible for i in positions}),
        )
        judgements.append(
            f"select column_position, value, code from (select column_position, value, {fault} as code "
            f"from delivered_values where column_position in ({', '.join(map(str, positions))})) where code is not null"
        )
    connection.execute(f"create or replace temp table bad_values as {' union all '.join(judgements)}")
    bad = _columns_with_bad_values(connection)
    faults = [
        (i, _unless_deleted(contract, column, _row_fault(column, i, i in bad)))
        for i, column in enumerate(contract.columns)
    ]
    columns = ", ".join(f"{sql} as fault_{i}" for i, sql in faults if sql)
    joins = " ".join(
        f"left join (from bad_values where column_position = {i}) as bad_{i} "
        f"on delivered_file.{contract.columns[i].name} = bad_{i}.value"
        for i, sql in faults
        if sql and i in bad and contract.columns[i].required
    )
    numbers = [i for i, sql in faults if sql]
    fault = f"coalesce({', '.join(f'fault_{i}' for i in numbers)})"
    position = " ".join(f"when fault_{i} is not null then {i}" for i in numbers)
    connection.execute(
        f"create or replace temp table judged as select position, {fault} as fault, case {position} end as "
        f"column_position from (select position, {columns} from delivered_file {joins}) where fault is not null"
    )


def _bounds(plausible: Mapping[int, tuple[float, float] | None]) -> tuple[str, str] | None:
    """SQL: the smallest and the greatest plausible number by column_position; None where no column has any."""
    given = {position: pair for position, pair in plausible.items() if pair is not None}
    if not given:
        return None
    least = " ".join(f"when {position} then {pair[0]}" for position, pair in given.items())
    most = " ".join(f"when {position} then {pair[1]}" for position, pair in given.items())
    return f"case column_position {least} else -1e12 end", f"case column_position {most} else 1e12 end"


def _columns_with_bad_values(connection: duckdb.DuckDBPyConnection) -> set[int]:
    return {row[0] for row in connection.execute("select distinct column_position from bad_values").fetchall()}


def _record_issues(connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_id: str) -> None:
    bad = _columns_with_bad_values(connection)
    queries = [
        f"select line_number, '{column.name}' as column_name, code from loaded "
        f"inner join bad_values on column_position = {i} and value = {column.name}"
        + (f" and code = '{INTERPRETED}'" if column.required else "")
        for i, column in enumerate(contract.columns)
        if i in bad
    ]
    if queries:
        connection.execute(
            "insert into raw.value_issues with loaded as (from delivered_file anti join judged using (position)) "
            f"select ?, ?, * from ({' union all '.join(queries)})",
            [delivery_id, contract.source_id],
        )
    texts = [column.name for column in contract.columns if column.keeps_text]
    for name in texts:
        connection.execute(
            "insert into raw.gaiji select ?, ?, line_number, ?, "
            f"'U+' || upper(to_hex(unicode(unnest(regexp_extract_all({name}, '[\\x{{E000}}-\\x{{F8FF}}]'))))) "
            "from delivered_file anti join judged using (position) "
            f"where regexp_matches({name}, '[\\x{{E000}}-\\x{{F8FF}}]')",
            [delivery_id, contract.source_id, name],
        )
