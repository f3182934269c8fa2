"""One delivery from its bytes to raw: every record is loaded, or kept as a reject with its reason."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kodomo.contract import Column, Contract, Layout
from kodomo.ingest.files import ParsedFile, Reject, readable
from kodomo.ingest.judging import judge


@dataclass(frozen=True)
class Loaded:
    """How many records went which way: ``loaded + rejected`` is what was read."""

    loaded: int
    rejected: int
    days: pa.Table
    """Each text of the columns of dates (value) with the day that it means (day), if any."""
    filled: frozenset[str]
    """Columns in which a loaded row has a value."""


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


def load(connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_id: str, parsed: ParsedFile) -> Loaded:
    """Insert the file's rows into raw.<source> and its rejects into raw.rejects, within the caller's transaction."""
    arrays: dict[str, pa.Array] = {"line_number": pa.array(parsed.line_numbers, pa.int64())}
    values = contract_values(contract, parsed.layout, parsed.columns, len(parsed.line_numbers))
    for column in contract.columns:
        arrays[column.name] = values[column.name]
        if column.keeps_text:
            arrays[f"{column.name}_as_delivered"] = _texts_as_delivered(column, values, parsed.columns)
    judgement = judge(connection, contract, values)
    delivered = pa.table(arrays)
    if judgement.rejected:
        is_loaded = np.ones(len(delivered), dtype=bool)
        is_loaded[[rejection.position for rejection in judgement.rejected]] = False
        delivered = delivered.filter(pa.array(is_loaded))
    # A layout fills a part of the columns: the others need not be read to be empty.
    names = [name for name in delivered.column_names if delivered[name].null_count < len(delivered)]
    connection.register("delivered_file", delivered)
    try:
        if names:
            connection.execute(
                f"insert into raw.{contract.source_id} (delivery_id, {', '.join(names)}) "
                f"select ?, {', '.join(names)} from delivered_file",
                [delivery_id],
            )
        _record_private_characters(connection, contract, delivery_id)
    finally:
        connection.unregister("delivered_file")
    if judgement.issues:
        _insert(
            connection,
            "raw.value_issues select ?, ?, line_number, column_name, code",
            [delivery_id, contract.source_id],
            {
                "line_number": pa.array([int(parsed.line_numbers[i.position]) for i in judgement.issues], pa.int64()),
                "column_name": [issue.column.name for issue in judgement.issues],
                "code": [issue.code for issue in judgement.issues],
            },
        )
    rejects = parsed.rejects + [
        Reject(
            int(parsed.line_numbers[rejection.position]),
            rejection.code,
            rejection.column.heading,
            readable(parsed.raw_records(rejection.position), parsed.text_encoding),
            parsed.raw_records(rejection.position),
        )
        for rejection in judgement.rejected
    ]
    if rejects:
        rejects.sort(key=lambda reject: reject.line_number)
        _insert(
            connection,
            "raw.rejects by name select ? as delivery_id, ? as source_id, *",
            [delivery_id, contract.source_id],
            {
                "line_number": [reject.line_number for reject in rejects],
                "reason_code": [reject.reason_code for reject in rejects],
                "column_name": pa.array([reject.column_name for reject in rejects], pa.string()),
                "record": [reject.record for reject in rejects],
                "record_bytes": pa.array([reject.record_bytes for reject in rejects], pa.binary()),
            },
        )
    for heading in parsed.unknown_headings:
        connection.execute(
            "insert into raw.unknown_headings values (?, ?, ?)", [delivery_id, contract.source_id, heading]
        )
    return Loaded(parsed.rows_read - len(rejects), len(rejects), judgement.days, frozenset(names))


def _insert(
    connection: duckdb.DuckDBPyConnection, what: str, parameters: list[str], columns: Mapping[str, list | pa.Array]
) -> None:
    """Execute ``insert into <what> from`` those columns."""
    connection.register("inserted_rows", pa.table(dict(columns)))
    connection.execute(f"insert into {what} from inserted_rows", parameters)
    connection.unregister("inserted_rows")


def _record_private_characters(connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_id: str) -> None:
    for name in (column.name for column in contract.columns if column.keeps_text):
        connection.execute(
            "insert into raw.gaiji select ?, ?, line_number, ?, "
            f"'U+' || upper(to_hex(unicode(unnest(regexp_extract_all({name}, '[\\x{{E000}}-\\x{{F8FF}}]'))))) "
            f"from delivered_file where regexp_matches({name}, '[\\x{{E000}}-\\x{{F8FF}}]')",
            [delivery_id, contract.source_id, name],
        )
