"""One delivery from its bytes to raw: every record is loaded, or kept as a reject with its reason."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.contract import Column, Contract
from orchestration.ingest.files import ParsedFile, Reject, readable
from orchestration.ingest.macros import load_macros


@dataclass(frozen=True)
class Loaded:
    """How many records went which way: ``loaded + rejected`` is what was read."""

    loaded: int
    rejected: int


def normalised(values: pa.Array) -> pa.Array:
    """NFKC, trimmed, runs of spaces folded to one, empty as null; the engine composes what this leaves decomposed.

    Done once per distinct value: extracts repeat themselves.
    """
    encoded = values.dictionary_encode()
    text = pc.utf8_normalize(encoded.dictionary, form="NFKC")
    text = pc.utf8_trim_whitespace(pc.replace_substring_regex(text, r"[\s\p{Z}]+", " "))
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    return pc.take(text, encoded.indices)


def _fault(column: Column) -> str | None:
    """SQL: the reason code that rejects a row for this column, or null."""
    macros = load_macros()
    name = column.name
    if column.type == "id":
        missing = f"when {name} is null then 'missing_required'" if column.required else ""
        return f"case when {macros['is_damaged_id'](name)} then 'damaged_id' {missing} end"
    if not column.required:
        return None
    if column.type in {"date", "month"}:
        status = macros[f"{column.type}_status"](name)
        code = "impossible_date" if column.type == "date" else "invalid_month"
        return f"case {status} when 'none' then 'missing_required' when 'impossible' then '{code}' end"
    if column.type in {"int", "decimal"}:
        parsed = macros["parse_integer" if column.type == "int" else "parse_decimal"](name)
        return f"case when {name} is null then 'missing_required' when {parsed} is null then 'not_a_number' end"
    return f"case when {name} is null then 'missing_required' end"


def _issue(column: Column) -> str | None:
    """SQL: what is wrong with a value that does not reject its row, or null."""
    macros = load_macros()
    name = column.name
    if column.type in {"date", "month"}:
        code = "impossible_date" if column.type == "date" else "invalid_month"
        return f"case when {macros[f'{column.type}_status'](name)} = 'impossible' then '{code}' end"
    if column.type in {"int", "decimal"}:
        parsed = macros["parse_integer" if column.type == "int" else "parse_decimal"](name)
        return f"case when {name} is not null and {parsed} is null then 'not_a_number' end"
    if column.type == "flag":
        return f"case when {name} is not null and {macros['parse_flag'](name)} is null then 'unknown_flag' end"
    return None


def load(connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_id: str, parsed: ParsedFile) -> Loaded:
    """Insert the file's rows into raw.<source> and its rejects into raw.rejects, within the caller's transaction."""
    arrays: dict[str, pa.Array] = {"line_number": pa.array(parsed.line_numbers, pa.int64())}
    targets: list[str] = []
    for column in contract.columns:
        delivered = parsed.columns.get(column.name)
        values = pa.nulls(len(parsed.line_numbers), pa.string()) if delivered is None else delivered
        arrays[column.name] = normalised(values)
        targets.append(column.name)
        if column.keeps_text:
            arrays[f"{column.name}_as_delivered"] = values
            targets.append(f"{column.name}_as_delivered")
    arrays["position"] = pa.array(range(len(parsed.line_numbers)), pa.int64())
    connection.register("delivered_file", pa.table(arrays))
    try:
        _judge(connection, contract)
        faulty = connection.execute(
            "select position, column_position, fault from judged where fault is not null order by position"
        ).fetchall()
        names = ", ".join(targets)
        connection.execute(
            f"insert into raw.{contract.source_id} (delivery_id, line_number, {names}) "
            f"select ?, line_number, {names} from judged where fault is null order by position",
            [delivery_id],
        )
        _record_issues(connection, contract, delivery_id)
    finally:
        connection.execute("drop table if exists judged")
        connection.unregister("delivered_file")
    encoding = "utf-8" if parsed.encoding == "utf-16" else parsed.encoding
    rejects = parsed.rejects + [
        Reject(
            int(parsed.line_numbers[position]),
            fault,
            contract.columns[column_position].heading,
            readable(parsed.raw_records(position), encoding),
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
            "insert into raw.rejects select ?, ?, line_number, reason_code, column_name, record, record_bytes "
            "from rejected_records",
            [delivery_id, contract.source_id],
        )
        connection.unregister("rejected_records")
    for heading in parsed.unknown_headings:
        connection.execute(
            "insert into raw.unknown_headings values (?, ?, ?)", [delivery_id, contract.source_id, heading]
        )
    return Loaded(parsed.rows_read - len(rejects), len(rejects))


def _judge(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Make the temporary table ``judged``: the rows with the first fault in the order of the columns."""
    faults = [(i, _fault(column)) for i, column in enumerate(contract.columns)]
    columns = ", ".join(f"{sql} as fault_{i}" for i, sql in faults if sql)
    numbers = [i for i, sql in faults if sql]
    # Arrow leaves a half-width kana and its dakuten apart; the engine's own NFC joins them.
    composed = ", ".join(f"nfc_normalize({column.name}) as {column.name}" for column in contract.columns)
    position = " ".join(f"when fault_{i} is not null then {i}" for i in numbers)
    connection.execute(
        f"create or replace temp table judged as "
        f"select * exclude ({', '.join(f'fault_{i}' for i in numbers)}), "
        f"coalesce({', '.join(f'fault_{i}' for i in numbers)}) as fault, case {position} end as column_position "
        f"from (select *, {columns} from (select * replace ({composed}) from delivered_file))"
    )


def _record_issues(connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_id: str) -> None:
    issues = [(column, _issue(column)) for column in contract.columns]
    queries = [
        f"select line_number, '{column.name}' as column_name, {sql} as issue_code from judged where fault is null"
        for column, sql in issues
        if sql
    ]
    if queries:
        connection.execute(
            f"insert into raw.value_issues select ?, ?, * from ({' union all '.join(queries)}) "
            "where issue_code is not null",
            [delivery_id, contract.source_id],
        )
    texts = [column.name for column in contract.columns if column.keeps_text]
    for name in texts:
        connection.execute(
            "insert into raw.gaiji select ?, ?, line_number, ?, "
            f"'U+' || upper(to_hex(unicode(unnest(regexp_extract_all({name}, '[\\x{{E000}}-\\x{{F8FF}}]'))))) "
            f"from judged where fault is null and regexp_matches({name}, '[\\x{{E000}}-\\x{{F8FF}}]')",
            [delivery_id, contract.source_id, name],
        )
