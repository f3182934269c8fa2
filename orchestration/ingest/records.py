"""From bytes to records: encodings, record splitting, headings. A bad record never takes its neighbours along."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_RECORD_BYTES = 2**20
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|$)")
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


def physical_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Line number (from 1) and bytes of each line, without its end; CRLF, LF and CR end a line."""
    for number, match in enumerate(_LINE.finditer(data), start=1):
        line = match.group()
        if not line and match.start() == len(data):
            return
        yield number, line.rstrip(b"\r\n")


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


def records(lines: list[tuple[int, bytes]], encoding: str, delimiter: str, width: int | None) -> Iterator[Record]:
    """The records of physical lines; empty lines are passed over.

    A quoted field may hold line ends. Where joining lines does not give ``width`` fields, the opening quote was a
    stray one: its line is a reject by itself, and the next line begins a record again.
    """
    index = 0
    while index < len(lines):
        number, data = lines[index]
        index += 1
        if not data.strip():
            continue
        if len(data) > MAX_RECORD_BYTES:
            yield Record(number, data, None, "too_long")
            continue
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            yield Record(number, data, None, "undecodable")
            continue
        if '"' not in text:
            yield Record(number, data, text.split(delimiter))
            continue
        fields, is_open = split_fields(text, delimiter)
        if is_open:
            joined, following = _join(lines, index, data, encoding, delimiter, width)
            if joined is None:
                yield Record(number, data, None, "unbalanced_quote")
                continue
            index = following
            yield Record(number, joined[0], joined[1])
            continue
        yield Record(number, data, fields)


def _join(
    lines: list[tuple[int, bytes]], index: int, data: bytes, encoding: str, delimiter: str, width: int | None
) -> tuple[tuple[bytes, list[str]] | None, int]:
    while index < len(lines) and len(data) <= MAX_RECORD_BYTES:
        data = data + b"\n" + lines[index][1]
        closes = b'"' in lines[index][1]
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
