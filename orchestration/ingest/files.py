"""One delivered file against its contract: headings found, trailer checked, records as columns of text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import compress

import numpy as np
import pyarrow as pa

from orchestration.contract import Contract, HeadingRules, heading_key
from orchestration.ingest.records import (
    Record,
    detect_encoding,
    physical_lines,
    plain_lines,
    record_at,
    split_fields,
    split_plain,
    to_byte_text,
)

MAX_TITLE_LINES = 20
_TRAILER = re.compile(r"^(?:合計|総計|計|件数|合計件数)[:\s]*([0-9,]+)\s*(?:件|行)?$")


class RefusedError(Exception):
    """The file as a whole is not accepted. ``is_forbidden``: nothing of it may be kept."""

    def __init__(self, reason: str, *, is_forbidden: bool = False) -> None:
        super().__init__(reason)
        self.is_forbidden = is_forbidden


@dataclass
class Reject:
    """A record that is not loaded."""

    line_number: int
    reason_code: str
    column_name: str | None
    record: str
    record_bytes: bytes


@dataclass
class ParsedFile:
    """What a file holds: ``columns`` are arrays of text by English name, beside ``line_numbers``."""

    encoding: str
    line_numbers: np.ndarray
    raw_records: Callable[[int], bytes]
    """The bytes of the record at a position of ``line_numbers``."""
    columns: dict[str, pa.Array]
    rejects: list[Reject] = field(default_factory=list)
    unknown_headings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def rows_read(self) -> int:
        """Records in the file, whatever became of them."""
        return len(self.line_numbers) + len(self.rejects)


def parse(data: bytes, contract: Contract, rules: HeadingRules) -> ParsedFile:
    """Read a file by its contract. Raises RefusedError, whose message names line, heading and what to do."""
    if not data.strip():
        raise RefusedError("The file is empty: deliver it again with its heading row.")
    encoding = detect_encoding(data)
    if b"\x00" in data and encoding != "utf-16":
        raise RefusedError("This is no CSV file (it holds zero bytes): export the extract as CSV again.")
    content, byte_encoding = to_byte_text(data, encoding)
    lines = physical_lines(content)
    start, delimiter, headings = find_headings(lines, byte_encoding, contract, rules)
    _check_headings(headings, start + 1, contract, rules)
    known = {heading_key(column.heading): column for column in contract.columns}
    positions = {known[heading].name: i for i, heading in enumerate(headings) if heading in known}
    width, first = len(headings), start + 1
    is_plain = np.concatenate(
        [np.zeros(first, dtype=bool), plain_lines(lines[first:], byte_encoding, delimiter, width, headings[0])]
    )
    kept: list[Record] = []
    rejects: list[Reject] = []
    notes: list[str] = []
    following = first
    for index in np.flatnonzero(~is_plain[first:]) + first:
        if index < following:
            continue
        record, following = record_at(lines, int(index), byte_encoding, delimiter, width)
        is_plain[index:following] = False
        if record is None:
            continue
        if record.fields is None:
            rejects.append(_reject(record, record.reason_code or "", byte_encoding))
            continue
        if _is_empty(record.fields) or _repeats_headings(record.fields, headings, rules):
            continue
        trailer = _trailer_count(record.fields, width)
        if trailer is not None:
            _check_trailer(notes, trailer, int(is_plain[:index].sum()) + len(kept) + len(rejects), record.line_number)
        elif len(record.fields) < width or any(value.strip() for value in record.fields[width:]):
            rejects.append(_reject(record, "wrong_field_count", byte_encoding))
        else:
            kept.append(record)
    plain = np.flatnonzero(is_plain)
    line_numbers = np.concatenate([plain + 1, np.array([record.line_number for record in kept], dtype=plain.dtype)])
    order = np.argsort(line_numbers, kind="stable")
    table = split_plain(compress(lines, is_plain), byte_encoding, delimiter, width, list(positions.values()))
    irregular = {record.line_number: record.data for record in kept}
    return ParsedFile(
        encoding="utf-8" if encoding == "utf-8-sig" else encoding,
        line_numbers=line_numbers[order],
        raw_records=lambda position: irregular.get(number := int(line_numbers[order[position]]), lines[number - 1]),
        columns={
            name: pa.chunked_array(
                [
                    *table.column(str(position)).chunks,
                    pa.array([record.fields[position] for record in kept], pa.string()),
                ]
            )
            .combine_chunks()
            .take(pa.array(order))
            for name, position in positions.items()
        },
        rejects=rejects,
        unknown_headings=[heading for heading in headings if heading and heading not in known],
        notes=notes,
    )


def _is_empty(fields: list[str]) -> bool:
    return not any(value.strip() for value in fields)


def _repeats_headings(fields: list[str], headings: list[str], rules: HeadingRules) -> bool:
    if len(fields) != len(headings) or heading_key(fields[0]) != headings[0]:
        return False
    return [rules.aliases.get(heading_key(value), heading_key(value)) for value in fields] == headings


def find_headings(
    lines: list[bytes], encoding: str, contract: Contract, rules: HeadingRules
) -> tuple[int, str, list[str]]:
    """Index of the heading row, delimiter, and the headings in the contract's spelling.

    The heading row is the first line within the titles that shares most headings with the contract.
    """
    known = {heading_key(column.heading) for column in contract.columns}
    best: tuple[int, int, str, list[str]] | None = None
    for index, data in enumerate(lines[: MAX_TITLE_LINES + 1]):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        for delimiter in (",", "\t"):
            keys = [heading_key(value) for value in split_fields(text, delimiter)[0]]
            headings = [key if key in known else rules.aliases.get(key, key) for key in keys]
            score = len(known.intersection(headings))
            if any(pattern in key for key in keys for pattern in rules.forbidden) and len(keys) > 1:
                score = max(score, 1)
            if score and (best is None or score > best[0]):
                best = (score, index, delimiter, headings)
    if best is None:
        expected = "、".join(column.heading for column in contract.columns[:4])
        raise RefusedError(
            f"No heading row in the first {MAX_TITLE_LINES + 1} lines: the file must have the headings {expected} …"
        )
    _, index, delimiter, headings = best
    while headings and not headings[-1]:
        headings.pop()
    return index, delimiter, headings


def _check_headings(headings: list[str], line: int, contract: Contract, rules: HeadingRules) -> None:
    for heading in headings:
        if any(pattern in heading for pattern in rules.forbidden):
            raise RefusedError(
                f"Line {line}: the heading {heading} is forbidden here. Nothing of the file was kept; "
                "deliver it again without this column.",
                is_forbidden=True,
            )
    known = {heading_key(column.heading) for column in contract.columns}
    double = sorted({heading for heading in headings if heading in known and headings.count(heading) > 1})
    if double:
        raise RefusedError(f"Line {line}: the heading {'、'.join(double)} is there twice: keep one of them.")
    missing = [
        column.heading
        for column in contract.columns
        if not column.optional and heading_key(column.heading) not in headings
    ]
    if missing:
        raise RefusedError(
            f"Line {line}: the required heading {'、'.join(missing)} is missing: deliver the file with it."
        )


def _trailer_count(fields: list[str], width: int) -> int | None:
    # A whole record may hold the words of a trailer; nothing stands after it in a trailer.
    if len(fields) == width and not _is_empty(fields[2:]):
        return None
    text = unicodedata.normalize("NFKC", " ".join(value for value in fields if value.strip())).strip()
    match = _TRAILER.match(text)
    return int(match.group(1).replace(",", "")) if match else None


def _check_trailer(notes: list[str], count: int, rows_read: int, line: int) -> None:
    if count != rows_read:
        notes.append(
            f"Line {line}: the trailer counts {count} records, the file has {rows_read}: "
            "ask the holder whether the file is whole."
        )


def _reject(record: Record, reason_code: str, encoding: str) -> Reject:
    return Reject(record.line_number, reason_code, None, readable(record.data, encoding), record.data)


def readable(data: bytes, encoding: str) -> str:
    """A record as text; bytes that are no characters are shown as escapes, and the bytes are kept beside it."""
    return data.decode(encoding, errors="backslashreplace")
