"""From bytes to records: encodings, record splitting, headings. A bad record never takes its neighbours along."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

MAX_RECORD_BYTES = 2**20
MAX_PLAIN_BYTES = 2**16
"""Longer lines are read one by one: the engine reads blocks, and a line must fit into one."""
LINES_DECODED_TOGETHER = 5_000
MAX_JOINED_BYTES = 2**24
"""How far the end of a quoted field is looked for; a record over MAX_RECORD_BYTES is one reject, not many."""
BYTES = "latin-1"
"""Records are split with a character for each byte, so that bytes that are no text do not move their borders: in none
of the encodings is a quote, a delimiter or a line end a part of another character."""
_FORMULA = re.compile(r'^="(.*)"$', re.S)
_EMPTY = b" \t\n\r\x0b\f" + b"\x1a\x00"
_BEHIND_THE_END = b"\x1a\x00"
"""The end-of-file mark of mainframes and of `copy a+b c`, and the zero bytes that fill a last block."""
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

    A code unit that is no character becomes bytes that are no UTF-8, so that its record is a reject of its own.
    """
    if encoding == "utf-8-sig":
        return data[len(codecs.BOM_UTF8) :], "utf-8"
    if encoding == "utf-16":
        whole = len(data) // 2 * 2
        text = data[2:whole].decode(utf_16(data), errors="surrogatepass")
        is_cut = whole < len(data) and data[whole:] != b"\x1a"
        return text.encode("utf-8", errors="surrogatepass") + (b"\xff" if is_cut else b""), "utf-8"
    return data, encoding


def as_delivered(record: bytes, data: bytes, encoding: str) -> bytes:
    """The bytes of a record (as ``to_byte_text`` gives them) as they stand in the file that is ``data``."""
    if encoding != "utf-16":
        return record
    is_cut = record.endswith(b"\xff")
    text = record.removesuffix(b"\xff").decode("utf-8", errors="surrogatepass")
    return text.encode(utf_16(data), errors="surrogatepass") + (data[-1:] if is_cut else b"")


def file_of(records: Sequence[bytes], data: bytes, encoding: str) -> bytes:
    """A file of records (as they were delivered) in the manner of ``data``; lines end in CRLF.

    UTF-8 has a byte order mark: people open the file in a spreadsheet, which takes it for CP932 otherwise.
    """
    mark = next((mark for mark, name in _BOMS if name == encoding and data.startswith(mark)), b"")
    mark = codecs.BOM_UTF8 if encoding == "utf-8" else mark
    end = "\r\n".encode(utf_16(data) if encoding == "utf-16" else "ascii")
    return mark + b"".join(record + end for record in records)


def utf_16(data: bytes) -> str:
    """The codec of a UTF-16 file, by its byte order mark."""
    return "utf-16-le" if data.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"


def without_end_mark(content: bytes) -> tuple[bytes, bool]:
    """The content up to the end-of-file mark (1A) or the zero bytes that fill its last block, and whether there is one.

    The mark may stand behind the last value or on a line of its own.
    """
    end = len(content.rstrip(_BEHIND_THE_END + b"\r\n\t "))
    marks = [at for mark in _BEHIND_THE_END if (at := content.find(mark, end)) >= 0]
    return (content[: min(marks)], True) if marks else (content, False)


def is_cut_off(line: bytes, encoding: str) -> bool:
    """Whether a line ends within a character."""
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        try:
            codecs.getincrementaldecoder(encoding)().decode(line)
        except UnicodeDecodeError:
            # Half a code unit of UTF-16.
            return line.endswith(b"\xff")
        return True
    return False


def physical_lines(data: bytes) -> list[bytes]:
    """Each line without its end; CRLF, LF and CR end a line. The line at index ``i`` has number ``i + 1``."""
    return data.splitlines()


def plain_lines(lines: list[bytes], delimiter: str, width: int, heading: str) -> np.ndarray:
    """Mask of the lines that are a record of ``width`` fields by themselves, whatever stands around them.

    Nearly all lines are, and are split by the engine; what may be anything else (a quote that does not begin or end a
    field, another number of fields, a trailer, a repeated heading, nothing) is left to ``record_at``.
    """
    if heading[:1].isascii():
        return np.zeros(len(lines), dtype=bool)
    mark = re.escape(delimiter)
    data = pa.array(lines, pa.binary())
    has_quotes = pc.match_substring(data, '"')
    field = rf'(?:"[^"]*"|[^"{mark}]*)'
    is_record = pc.equal(pc.count_substring(data, delimiter.encode()), width - 1)
    if pc.any(has_quotes).as_py():
        is_quoted_record = pc.and_(
            pc.match_substring_regex(data, rf"^{field}(?:{mark}{field}){{{width - 1}}}$"),
            # A quoted ="001" is a formula, which record_at knows.
            pc.invert(pc.match_substring(data, '="')),
        )
        is_record = pc.if_else(has_quotes, is_quoted_record, is_record)
    # A letter or digit at the beginning, and one after the second field: no heading, no trailer, no empty record.
    shape = rf'^"?[0-9A-Za-z-][^"{mark}]*"?{mark}{field}{mark}[^0-9A-Za-z]*[0-9A-Za-z]'
    is_plain = pc.and_(
        is_record,
        pc.and_(
            pc.match_substring_regex(data, shape),
            pc.and_(
                pc.invert(pc.match_substring_regex(data, r"\x00")),
                pc.less_equal(pc.binary_length(data), MAX_PLAIN_BYTES),
            ),
        ),
    )
    return is_plain.to_numpy(zero_copy_only=False).copy()


def decode_plain(lines: list[bytes], plain: np.ndarray, encoding: str) -> tuple[bytes, list[int]]:
    """The plain lines at those indices as UTF-8, and the indices of those among them that are no text."""
    decoded: list[bytes] = []
    undecodable: list[int] = []
    for start in range(0, len(plain), LINES_DECODED_TOGETHER):
        together = plain[start : start + LINES_DECODED_TOGETHER].tolist()
        text = _as_utf_8(b"\n".join([lines[index] for index in together]), encoding)
        if text is None:
            one_by_one = [_as_utf_8(lines[index], encoding) for index in together]
            undecodable += [index for index, line in zip(together, one_by_one, strict=True) if line is None]
            text = b"\n".join([line for line in one_by_one if line is not None])
        decoded.append(text)
    return b"\n".join([text for text in decoded if text]), undecodable


def _as_utf_8(data: bytes, encoding: str) -> bytes | None:
    """Bytes as UTF-8, None if they are no text in their encoding."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return data if encoding == "utf-8" else text.encode("utf-8")


def split_plain(data: bytes, delimiter: str, width: int, positions: list[int]) -> pa.Table:
    """Plain lines, in UTF-8, as text columns named ``0``, ``1``, …: those at ``positions``."""
    names = [str(position) for position in range(width)]
    included = [str(position) for position in positions]
    if not data:
        return pa.table({name: pa.array([], pa.string()) for name in included})
    return csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(column_names=names),
        parse_options=csv.ParseOptions(
            delimiter=delimiter, quote_char='"' if b'"' in data else False, double_quote=False, ignore_empty_lines=False
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), include_columns=included, strings_can_be_null=False
        ),
    )


def split_fields(text: str, delimiter: str) -> tuple[list[str], bool]:
    """The fields of a record, and whether a quoted field is still open at its end.

    A quote within an unquoted field is a character like any other.
    """
    fields, is_open, _ = _split(text, delimiter)
    return fields, is_open


def _split(text: str, delimiter: str) -> tuple[list[str], bool, bool]:
    """As ``split_fields``, and whether something stands between a closing quote and the next delimiter."""
    fields: list[str] = []
    position, length, is_ragged = 0, len(text), False
    while True:
        if position < length and text[position] == '"':
            parts: list[str] = []
            start = position + 1
            while True:
                end = text.find('"', start)
                if end < 0:
                    return [*fields, "".join(parts) + text[start:]], True, is_ragged
                parts.append(text[start:end])
                if end + 1 < length and text[end + 1] == '"':
                    parts.append('"')
                    start = end + 2
                    continue
                position = end + 1
                break
            stop = text.find(delimiter, position)
            tail = text[position:] if stop < 0 else text[position:stop]
            is_ragged = is_ragged or bool(tail.strip())
            fields.append(_without_formula("".join(parts) + tail))
        else:
            stop = text.find(delimiter, position)
            value = text[position:] if stop < 0 else text[position:stop]
            if value.startswith('="') and not value.endswith('"'):
                stop = text.find(f'"{delimiter}', position)
                value = text[position:] if stop < 0 else text[position : stop + 1]
                stop = stop + 1 if stop >= 0 else stop
            fields.append(_without_formula(value))
        if stop < 0:
            return fields, False, is_ragged
        position = stop + len(delimiter)


def _without_formula(value: str) -> str:
    formula = _FORMULA.match(value)
    return formula.group(1) if formula else value


def record_at(
    lines: list[bytes], index: int, encoding: str, delimiter: str, width: int | None, ends: LineEnds
) -> tuple[Record | None, int]:
    """The record that begins at the line of that index (None: an empty line), and the index of the line after it.

    A quoted field may hold line ends, whatever else is wrong with its record. Where joining lines does not close it
    before a delimiter, or one of the lines is a record of its own, the opening quote was a stray one: its line is a
    reject by itself, and the next line begins a record again.
    """
    data, after = lines[index], index + 1
    if not data.strip(_EMPTY):
        return None, after
    is_open = b'"' in data and split_fields(data.decode(BYTES), delimiter)[1]
    if is_open:
        joined = _join(lines, index, delimiter, width, ends)
        if joined is not None:
            data, after = joined
            is_open = False
    fields = None
    text = _as_text(_without_zero_fields(data, delimiter), encoding)
    if len(data) > MAX_RECORD_BYTES:
        reason = "too_long"
    elif text is None:
        reason = "undecodable"
    elif is_open:
        reason = "unbalanced_quote"
    else:
        reason, fields = None, split_fields(text, delimiter)[0] if '"' in text else text.split(delimiter)
    return Record(index + 1, data, fields, reason), after


def _without_zero_fields(data: bytes, delimiter: str) -> bytes:
    """A record whose fields of zero bytes only are empty, as some databases write an empty text."""
    if b"\x00" not in data:
        return data
    mark = re.escape(delimiter.encode())
    return re.sub(rb"(?:(?<=" + mark + rb')|\A)"?\x00+"?(?=' + mark + rb"|\Z)", b"", data)


def _as_text(data: bytes, encoding: str) -> str | None:
    """Bytes as text, None if they are none in their encoding. No text holds a zero byte."""
    try:
        return None if b"\x00" in data else data.decode(encoding)
    except UnicodeDecodeError:
        return None


class LineEnds:
    """The line ends of a file, looked for when a record needs them: most files have none within a record."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._lines: list[bytes] | None = None

    def together(self, start: int, stop: int | None) -> bytes:
        """The lines from one index up to before another (None: to the last), with the line ends between them."""
        if self._lines is None:
            self._lines = self._content.splitlines(keepends=True)
        stop = len(self._lines) if stop is None else stop
        last = self._lines[stop - 1]
        return b"".join(self._lines[start : stop - 1]) + last.rstrip(b"\r\n")


def _join(
    lines: list[bytes], index: int, delimiter: str, width: int | None, ends: LineEnds
) -> tuple[bytes, int] | None:
    """The bytes of the record of several lines that begins at the index, and the index after it; None: it is none."""
    length, after = len(lines[index]), index + 1
    is_full = width is not None and lines[index].count(delimiter.encode()) >= width - 1
    while after < len(lines) and length <= MAX_JOINED_BYTES:
        line = lines[after]
        length += len(line) + 1
        after += 1
        closes = b'"' in line
        # What has all its fields by itself is a record, unless it ends one whose first line has not.
        if width is not None and (is_full or not closes) and _is_record(line, delimiter, width):
            return None
        if not closes:
            continue
        data = ends.together(index, after)
        _, is_open, is_ragged = _split(data.decode(BYTES), delimiter)
        if not is_open:
            return None if is_ragged else (data, after)
    return None


def _is_record(line: bytes, delimiter: str, width: int) -> bool:
    if line.count(delimiter.encode()) < width - 1:
        return False
    fields, is_open = split_fields(line.decode(BYTES), delimiter)
    return not is_open and len(fields) == width
