"""From bytes to records: encodings, record splitting, headings. A bad record never takes its neighbours along."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import compress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

MAX_RECORD_BYTES = 2**20
_FORMULA = re.compile(r'^="(.*)"$', re.S)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Record:
    """One record: the physical line on which it begins, its bytes, and its fields or why it has none."""

    line_number: int
    data: bytes
    fields: list[str] | None
    reason_code: str | None = None


def detect_encoding(data: bytes) -> str:
    """By byte order mark, else strict UTF-8, else CP932."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp932"
    return "utf-8"


def to_byte_text(data: bytes, encoding: str) -> tuple[bytes, str]:
    """The bytes in which records are split, and their encoding: UTF-16 has no single-byte line ends.

    A code unit that is no character becomes a byte that is no UTF-8, so that its record is a reject of its own.
    """
    if encoding == "utf-8-sig":
        return data[len(codecs.BOM_UTF8) :], "utf-8"
    if encoding == "utf-16":
        little = data.startswith(codecs.BOM_UTF16_LE)
        body = data[2:]
        text = body.decode(
            "utf-16-le" if little else "utf-16-be", errors="surrogatepass" if len(body) % 2 == 0 else "ignore"
        )
        out = text.encode("utf-8", errors="surrogatepass")
        return (out if len(body) % 2 == 0 else out + b"\xff"), "utf-8"
    return data, encoding


def physical_lines(data: bytes) -> list[bytes]:
    """Each line without its end; CRLF, LF and CR end a line. The line at index ``i`` has number ``i + 1``."""
    return data.splitlines()


def plain_lines(lines: list[bytes], encoding: str, delimiter: str, width: int, heading: str) -> np.ndarray:
    """Mask of the lines that are a record of ``width`` fields by themselves, whatever stands around them.

    Nearly all lines are, and are split by the engine; what may be anything else (quotes, another number of fields, a
    trailer, a repeated heading, nothing, bytes that are no text) is left to ``record_at``.
    """
    mark = re.escape(delimiter)
    if heading[:1].isascii():
        return np.zeros(len(lines), dtype=bool)
    data = pa.array(lines, pa.binary())
    # A letter or digit at the beginning, and one after the second field: no heading, no trailer, no empty record.
    shape = rf"^[0-9A-Za-z-][^{mark}]*{mark}[^{mark}]*{mark}[\x00-\xff]*[0-9A-Za-z]"
    is_plain = pc.and_(
        pc.equal(pc.count_substring(data, delimiter.encode()), width - 1),
        pc.and_(
            pc.match_substring_regex(data, shape),
            pc.and_(
                pc.invert(pc.match_substring(data, b'"')),
                pc.less_equal(pc.binary_length(data), MAX_RECORD_BYTES),
            ),
        ),
    )
    mask = is_plain.to_numpy(zero_copy_only=False).copy()
    chosen = np.flatnonzero(mask)
    ends = np.cumsum([len(lines[index]) + 1 for index in chosen])
    joined, start = b"\n".join(compress(lines, mask)), 0
    while start < len(joined):
        try:
            joined[start:].decode(encoding)
            break
        except UnicodeDecodeError as error:
            line = int(np.searchsorted(ends, start + error.start, side="right"))
            mask[chosen[line]] = False
            start = int(ends[line])
    return mask


def split_plain(lines: Iterable[bytes], encoding: str, delimiter: str, width: int, positions: list[int]) -> pa.Table:
    """Plain lines as text columns named ``0``, ``1``, …: those at ``positions``."""
    data = b"\n".join(lines)
    if encoding != "utf-8":
        data = data.decode(encoding).encode("utf-8")
    names = [str(position) for position in range(width)]
    included = [str(position) for position in positions]
    if not data:
        return pa.table({name: pa.array([], pa.string()) for name in included})
    return csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(column_names=names),
        parse_options=csv.ParseOptions(delimiter=delimiter, quote_char=False, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), include_columns=included, strings_can_be_null=False
        ),
    )


def split_fields(text: str, delimiter: str) -> tuple[list[str], bool]:
    """The fields of a record, and whether a quoted field is still open at its end.

    A quote within an unquoted field is a character like any other.
    """
    fields: list[str] = []
    position, length = 0, len(text)
    while True:
        if position < length and text[position] == '"':
            parts: list[str] = []
            start = position + 1
            while True:
                end = text.find('"', start)
                if end < 0:
                    return [*fields, "".join(parts) + text[start:]], True
                parts.append(text[start:end])
                if end + 1 < length and text[end + 1] == '"':
                    parts.append('"')
                    start = end + 2
                    continue
                position = end + 1
                break
            stop = text.find(delimiter, position)
            tail = text[position:] if stop < 0 else text[position:stop]
            fields.append("".join(parts) + tail)
        else:
            stop = text.find(delimiter, position)
            value = text[position:] if stop < 0 else text[position:stop]
            if value.startswith('="') and not value.endswith('"'):
                stop = text.find(f'"{delimiter}', position)
                value = text[position:] if stop < 0 else text[position : stop + 1]
                stop = stop + 1 if stop >= 0 else stop
            formula = _FORMULA.match(value)
            fields.append(formula.group(1) if formula else value)
        if stop < 0:
            return fields, False
        position = stop + len(delimiter)


def record_at(
    lines: list[bytes], index: int, encoding: str, delimiter: str, width: int | None
) -> tuple[Record | None, int]:
    """The record that begins at the line of that index (None: an empty line), and the index of the line after it.

    A quoted field may hold line ends. Where joining lines does not give ``width`` fields, the opening quote was a
    stray one: its line is a reject by itself, and the next line begins a record again.
    """
    number, data, following = index + 1, lines[index], index + 1
    if not data.strip():
        return None, following
    if len(data) > MAX_RECORD_BYTES:
        return Record(number, data, None, "too_long"), following
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return Record(number, data, None, "undecodable"), following
    if '"' not in text:
        return Record(number, data, text.split(delimiter)), following
    fields, is_open = split_fields(text, delimiter)
    if is_open:
        joined, after = _join(lines, following, data, encoding, delimiter, width)
        if joined is None:
            return Record(number, data, None, "unbalanced_quote"), following
        return Record(number, *joined), after
    return Record(number, data, fields), following


def _join(
    lines: list[bytes], index: int, data: bytes, encoding: str, delimiter: str, width: int | None
) -> tuple[tuple[bytes, list[str]] | None, int]:
    while index < len(lines) and len(data) <= MAX_RECORD_BYTES:
        data = data + b"\n" + lines[index]
        closes = b'"' in lines[index]
        index += 1
        if not closes:
            continue
        try:
            fields, is_open = split_fields(data.decode(encoding), delimiter)
        except UnicodeDecodeError:
            return None, index
        if not is_open:
            return ((data, fields) if width is None or len(fields) == width else None), index
    return None, index
