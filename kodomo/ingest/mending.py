"""Matches corrected records of a new delivery to the rejects whose place they take.

A reject is mended by a row that agrees with it in every value that could be read as it was delivered. What broke a
record as a whole (its quotes, its number of fields, its bytes) is mended by a row that holds all its readable words.
"""

from __future__ import annotations

import codecs
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from kodomo.contract import Column, Contract, load_heading_rules
from kodomo.home import Home
from kodomo.ingest.files import find_headings
from kodomo.ingest.judging import LISTED, BadValue, bad_values
from kodomo.ingest.layouts import combined, positions_of, recognise
from kodomo.ingest.load import contract_values, normalised
from kodomo.ingest.records import physical_lines, split_fields, to_byte_text, utf_16

MOST_REJECTS = 20_000
"""The newest open rejects of a source are looked at; the older ones are for a steward."""
HEAD_BYTES = 2**18
_SPREADSHEET_NUMBER = re.compile(r"([0-9])\.?([0-9]*)[Ee]\+?([0-9]+)")


@dataclass(frozen=True)
class Mended:
    """A reject, and the line of the new delivery that takes its place."""

    delivery_id: str
    line_number: int
    new_line_number: int


@dataclass(frozen=True)
class _Reject:
    delivery_id: str
    line_number: int
    values: tuple[str | None, ...]
    """By the contract's columns; empty where the record cannot be split into fields."""
    words: tuple[str, ...]


def mended_by(
    connection: duckdb.DuckDBPyConnection, home: Home, contract: Contract, delivery_id: str, file_name: str
) -> list[Mended]:
    """The open rejects of the source that the rows of a delivery (already in raw) mend.

    Where the file's name holds the id of the delivery that it mends, its rows are looked at less strictly.
    """
    rejects = _open_rejects(connection, home, contract, delivery_id)
    if not rejects:
        return []
    row_count = connection.execute(
        f"select count(*) from raw.{contract.source_id} where delivery_id = ?", [delivery_id]
    ).fetchall()[0][0]
    # A file with more rows than there are rejects brings other rows too: a number must then identify the person.
    is_strict = row_count > len(rejects)
    mendings = _by_values(connection, contract, delivery_id, [r for r in rejects if r.values], is_strict)
    matched = {(mended.delivery_id, mended.line_number) for mended in mendings}
    broken = [r for r in rejects if not r.values and (r.delivery_id, r.line_number) not in matched]
    taken = {mended.new_line_number for mended in mendings}
    mendings += _by_words(connection, contract, delivery_id, broken, taken, is_strict)
    if named := [r for r in rejects if r.delivery_id in file_name]:
        taken = {mended.new_line_number for mended in mendings}
        matched = {(mended.delivery_id, mended.line_number) for mended in mendings}
        left = [r for r in named if (r.delivery_id, r.line_number) not in matched]
        mendings += _in_order(connection, contract, delivery_id, left, taken)
    return mendings


def record_mended(connection: duckdb.DuckDBPyConnection, delivery_id: str, mendings: Iterable[Mended]) -> None:
    """Note at each reject which delivery mended it."""
    rows = [[delivery_id, mended.new_line_number, mended.delivery_id, mended.line_number] for mended in mendings]
    if rows:
        connection.executemany(
            "update raw.rejects set resolved_by_delivery_id = ?, resolved_line_number = ?, "
            "resolved_at = now()::timestamp where delivery_id = ? and line_number = ?",
            rows,
        )


def loaded_lines(connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_id: str) -> set[int]:
    """The lines of a delivery that are in raw."""
    return {
        line
        for (line,) in connection.execute(
            f"select line_number from raw.{contract.source_id} where delivery_id = ?", [delivery_id]
        ).fetchall()
    }


def _open_rejects(
    connection: duckdb.DuckDBPyConnection, home: Home, contract: Contract, delivery_id: str
) -> list[_Reject]:
    """Those of the deliveries that are the source's present state: what a later full delivery replaced is past."""
    rows = connection.execute(
        """
        select
            rejects.delivery_id, deliveries.sha256, deliveries.encoding, rejects.line_number, rejects.record_bytes,
            rejects.reason_code
        from raw.reject_states as rejects
        inner join raw.deliveries as deliveries on rejects.delivery_id = deliveries.delivery_id
        where
            rejects.source_id = ?
            and rejects.delivery_id <> ?
            and rejects.state = 'open'
            and rejects.record_bytes is not null
            and deliveries.kind <> 'entry'
        order by deliveries.delivered_on desc, deliveries.sequence desc, rejects.line_number
        limit ?
        """,
        [contract.source_id, delivery_id, MOST_REJECTS],
    ).fetchall()
    by_delivery: dict[tuple[str, str, str], list] = defaultdict(list)
    for delivery, sha256, encoding, *reject in rows:
        by_delivery[delivery, sha256, encoding].append(reject)
    rejects = []
    for (delivery, sha256, encoding), records in by_delivery.items():
        original = home.original(sha256)
        if original.exists():
            with original.open("rb") as file:
                rejects += _read(delivery, file.read(HEAD_BYTES), encoding, records, contract)
    return rejects


def _read(delivery_id: str, data: bytes, encoding: str, records: list, contract: Contract) -> list[_Reject]:
    """Rejects with their values, by the heading row of the original, of which ``data`` is the beginning."""
    content, byte_encoding = to_byte_text(data, "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else encoding)
    row = find_headings(physical_lines(content), byte_encoding, contract, load_heading_rules())
    delimiter, headings = row.delimiter, row.headings
    codec = utf_16(data) if encoding == "utf-16" else byte_encoding
    layout = recognise(headings, contract)
    texts = [bytes(record).decode(codec, errors="replace") for _, record, _ in records]
    fields = [split_fields(text, delimiter)[0] for text in texts]
    # A column at a time: normalising is for arrays.
    delivered = {}
    for column in contract.columns:
        if places := positions_of(layout.origins[column.name], headings):
            parts = [pa.array([_at(row, position) for row in fields], pa.string()) for position in places]
            delivered[column.name] = combined(parts, layout.origins[column.name])
    columns = [values.to_pylist() for values in contract_values(contract, layout, delivered, len(fields)).values()]
    structural = {"wrong_field_count", "unbalanced_quote", "undecodable", "too_long"}
    rejects = []
    for number, (line_number, _, reason) in enumerate(records):
        words = [word.strip('"') for word in texts[number].split(delimiter)]
        readable = normalised(pa.array([word for word in words if "\ufffd" not in word], pa.string())).to_pylist()
        values = () if reason in structural else tuple(column[number] for column in columns)
        rejects.append(_Reject(delivery_id, line_number, values, tuple(word for word in readable if word)))
    return rejects


def _at(fields: list[str], position: int) -> str:
    return fields[position] if position < len(fields) else ""


def _is_fault(column: Column, value: str | None, bad: Mapping[str, Mapping[str, BadValue]]) -> bool:
    """Whether a value cannot stay as it is."""
    if value is None:
        return column.required
    fault = bad.get(column.name, {}).get(value)
    return fault is not None and fault.code not in LISTED


def _by_values(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    delivery_id: str,
    rejects: list[_Reject],
    is_strict: bool,
) -> list[Mended]:
    if not rejects:
        return []
    columns = contract.columns
    arrays = {
        column.name: pc.utf8_normalize(pa.array([reject.values[i] for reject in rejects], pa.string()), form="NFC")
        for i, column in enumerate(columns)
    }
    bad = bad_values(connection, contract, arrays)
    groups: dict[tuple[bool, ...], list[int]] = defaultdict(list)
    for number, values in enumerate(zip(*(arrays[column.name].to_pylist() for column in columns), strict=True)):
        groups[tuple(_is_fault(*pair, bad) for pair in zip(columns, values, strict=True))].append(number)
    connection.register("open_rejects", pa.table({"number": pa.array(range(len(rejects))), **arrays}))
    mended_by_number: dict[int, Mended] = {}
    for flags, numbers in groups.items():
        sound = [column.name for column, is_fault in zip(columns, flags, strict=True) if not is_fault]
        broken_ids = [
            column.name for column, is_fault in zip(columns, flags, strict=True) if is_fault and column.type == "id"
        ]
        same = " and ".join(f"open_rejects.{name} is not distinct from delivered.{name}" for name in sound) or "true"
        ids = "".join(f", open_rejects.{name}, delivered.{name}" for name in broken_ids)
        rows = connection.execute(
            f"select open_rejects.number, delivered.line_number{ids} from open_rejects "
            f"inner join raw.{contract.source_id} as delivered on {same} "
            "where delivered.delivery_id = ? and list_contains(?, open_rejects.number) order by all",
            [delivery_id, numbers],
        ).fetchall()
        has_sound_id = any(column.type == "id" and column.name in sound for column in columns)
        for number, line_number, *pairs in rows:
            is_same = all(_could_be(pairs[i], pairs[i + 1]) for i in range(0, len(pairs), 2))
            if is_strict and not (is_same if broken_ids else has_sound_id):
                continue
            # Of several rows that fit, one whose number the damaged one shows is the right one.
            if number not in mended_by_number or (is_same and broken_ids):
                reject = rejects[number]
                mended_by_number[number] = Mended(reject.delivery_id, reject.line_number, line_number)
    connection.unregister("open_rejects")
    return list(mended_by_number.values())


def _could_be(damaged: str | None, number: str | None) -> bool:
    """Whether a spreadsheet would have shown ``number`` as ``damaged``: 12345678901 as 1.23E+10."""
    shown_text = (damaged or "").replace(" ", "")
    match = _SPREADSHEET_NUMBER.fullmatch(shown_text)
    if match is None or number is None or not number.isdigit():
        return False
    shown = float(shown_text)
    return abs(int(number) - shown) <= 0.5 * 10 ** (int(match[3]) - len(match[2]))


def _rows(connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_id: str, where: str, given: list) -> list:
    text = ", ".join(f"coalesce({column.name}, '')" for column in contract.columns)
    return connection.execute(
        f"select line_number, [{text}] from raw.{contract.source_id} where delivery_id = ? and {where} order by all",
        [delivery_id, *given],
    ).fetchall()


def _by_words(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    delivery_id: str,
    rejects: list[_Reject],
    taken: set[int],
    is_strict: bool,
) -> list[Mended]:
    if not rejects:
        return []
    key = next(column.name for column in contract.columns if column.type == "id")
    if is_strict:
        words = sorted({word for reject in rejects for word in reject.words})
        rows = _rows(connection, contract, delivery_id, f"list_contains(?, {key})", [words])
    else:
        rows = _rows(connection, contract, delivery_id, "true", [])
    rows = [row for row in rows if row[0] not in taken]
    mendings = []
    for reject in rejects:
        # A word may be a part of a value: an address that held a delimiter is one value once it is quoted.
        fits = [
            (sum(word in values for word in reject.words), -i)
            for i, (_, values) in enumerate(rows)
            if reject.words and all(word in "\n".join(values) for word in reject.words)
        ]
        if fits:
            line_number, _ = rows.pop(-max(fits)[1])
            mendings.append(Mended(reject.delivery_id, reject.line_number, line_number))
    return mendings


def _in_order(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    delivery_id: str,
    rejects: list[_Reject],
    taken: set[int],
) -> list[Mended]:
    """The rows that are left, each with the reject that it shares most words with, at least half of them."""
    mendings = []
    rows = [row for row in _rows(connection, contract, delivery_id, "true", []) if row[0] not in taken]
    for reject in rejects:
        if not rows or not reject.words:
            continue
        shared = [sum(word in values for word in reject.words) for _, values in rows]
        best = max(range(len(rows)), key=lambda i: shared[i])
        if 2 * shared[best] >= len(reject.words):
            mendings.append(Mended(reject.delivery_id, reject.line_number, rows[best][0]))
            rows.pop(best)
    return mendings
