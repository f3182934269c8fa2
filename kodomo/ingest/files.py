"""One delivered file against its contract: headings found, trailer checked, records as columns of text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from kodomo.contract import Contract, HeadingRules, heading_key
from kodomo.ingest.records import (
    LineEnds,
    Record,
    as_delivered,
    decode_plain,
    detect_encoding,
    physical_lines,
    plain_lines,
    record_at,
    split_fields,
    split_plain,
    to_byte_text,
    utf_16,
)

MAX_TITLE_LINES = 20
_TRAILER = re.compile(
    r"^(?:以上|合計|総計|総合計|計|件数|合計件数|総件数|データ件数|レコード件数)[:=\s]*([0-9,]+)\s*(?:件|行|レコード)?$"
)


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
    """The bytes of the record at a position of ``line_numbers``, as they were delivered."""
    columns: dict[str, pa.Array]
    rejects: list[Reject] = field(default_factory=list)
    unknown_headings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    text_encoding: str = "utf-8"
    """The encoding of ``raw_records``."""
    heading_record: bytes = b""
    """The heading row, as it was delivered."""
    delivered_encoding: str = "utf-8"
    """With the byte order mark told apart: ``utf-8-sig``."""

    @property
    def rows_read(self) -> int:
        """Records in the file, whatever became of them."""
        return len(self.line_numbers) + len(self.rejects)


def parse(data: bytes, contract: Contract, rules: HeadingRules) -> ParsedFile:
    """Read a file by its contract. Raises RefusedError, whose message names line, heading and what to do."""
    if not data.strip():
        raise RefusedError("The file is empty: deliver it again with its heading row.")
    encoding = detect_encoding(data)
    content, byte_encoding = to_byte_text(data, encoding)
    lines = physical_lines(content)
    try:
        start, delimiter, headings = find_headings(lines, byte_encoding, contract, rules)
    except RefusedError as error:
        if encoding != "cp932" or error.is_forbidden:
            raise
        # Bytes that are no UTF-8 are one record's fault, where the headings can be read as UTF-8.
        try:
            start, delimiter, headings = find_headings(lines, "utf-8", contract, rules)
        except RefusedError:
            raise error from None
        encoding = byte_encoding = "utf-8"
    _check_headings(headings, start + 1, contract, rules)
    known = {heading_key(column.heading): column for column in contract.columns}
    positions = {known[heading].name: i for i, heading in enumerate(headings) if heading in known}
    width, first = len(headings), start + 1
    is_plain = np.concatenate([np.zeros(first, dtype=bool), plain_lines(lines[first:], delimiter, width, headings[0])])
    ends = LineEnds(content)
    kept: list[Record] = []
    rejects: list[Reject] = []
    notes: list[str] = []
    following = first
    for index in np.flatnonzero(~is_plain[first:]) + first:
        if index < following:
            continue
        record, following = record_at(lines, int(index), byte_encoding, delimiter, width, ends)
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
    text, undecodable = decode_plain(lines, np.flatnonzero(is_plain), byte_encoding)
    for index in undecodable:
        is_plain[index] = False
        rejects.append(_reject(Record(index + 1, lines[index], None), "undecodable", byte_encoding))
    rejects.sort(key=lambda reject: reject.line_number)
    plain = np.flatnonzero(is_plain)
    line_numbers = np.concatenate([plain + 1, np.array([record.line_number for record in kept], dtype=plain.dtype)])
    order = np.argsort(line_numbers, kind="stable")
    table = split_plain(text, delimiter, width, list(positions.values()))
    irregular = {record.line_number: record.data for record in kept}
    return ParsedFile(
        encoding="utf-8" if encoding == "utf-8-sig" else encoding,
        line_numbers=line_numbers[order],
        raw_records=lambda position: as_delivered(
            irregular.get(number := int(line_numbers[order[position]]), lines[number - 1]), data, encoding
        ),
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
        rejects=[replace(reject, record_bytes=as_delivered(reject.record_bytes, data, encoding)) for reject in rejects],
        unknown_headings=[heading for heading in headings if heading and heading not in known],
        notes=notes,
        heading_record=as_delivered(lines[start], data, encoding),
        delivered_encoding=encoding,
        text_encoding=utf_16(data) if encoding == "utf-16" else byte_encoding,
    )


def _is_empty(fields: list[str]) -> bool:
    return not any(value.strip() for value in fields)


def _repeats_headings(fields: list[str], headings: list[str], rules: HeadingRules) -> bool:
    if heading_key(fields[0]) not in {headings[0], *rules.aliases} or any(
        value.strip() for value in fields[len(headings) :]
    ):
        return False
    keys = (heading_key(value) for value in fields[: len(headings)])
    return [rules.aliases.get(key, key) for key in keys] == [rules.aliases.get(key, key) for key in headings]


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
        _refuse_forbidden_words(lines[: MAX_TITLE_LINES + 1], encoding, rules)
        if any(b"\x00" in line for line in lines):
            raise RefusedError("This is no CSV file (it holds zero bytes): export the extract as CSV again.")
        expected = "、".join(column.heading for column in contract.columns[:4])
        raise RefusedError(
            f"No heading row in the first {MAX_TITLE_LINES + 1} lines: the file must have the headings {expected} …"
        )
    _, index, delimiter, headings = best
    while headings and not headings[-1]:
        headings.pop()
    return index, delimiter, headings


def _refuse_forbidden_words(lines: list[bytes], encoding: str, rules: HeadingRules) -> None:
    """A file without any heading of the contract may still be one of which nothing may be kept."""
    for number, line in enumerate(lines, start=1):
        text = heading_key(line.decode(encoding, errors="ignore"))
        for pattern in rules.forbidden:
            if pattern in text:
                raise RefusedError(
                    f"Line {number}: {pattern} is forbidden here, and there is no heading row. "
                    "Nothing of the file was kept.",
                    is_forbidden=True,
                )


def _check_headings(headings: list[str], line: int, contract: Contract, rules: HeadingRules) -> None:
    for heading in headings:
        if any(pattern in heading for pattern in rules.forbidden):
            raise RefusedError(
                f"Line {line}: the heading {heading} is forbidden here. Nothing of the file was kept; "
                "deliver it again without this column.",
                is_forbidden=True,
            )
    double = sorted({heading for heading in headings if heading and headings.count(heading) > 1})
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
    return data.decode(encoding, errors="backslashreplace").replace("\x00", "\\x00")
