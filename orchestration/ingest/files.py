"""One delivered file against its contract: headings found, trailer checked, records as columns of text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from orchestration.contract import Contract, HeadingRules, heading_key
from orchestration.ingest.records import (
    Record,
    detect_encoding,
    physical_lines,
    records,
    split_fields,
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
    """What a file holds: ``columns`` are lists of text by English name, beside ``line_numbers``."""

    encoding: str
    line_numbers: list[int]
    raw_records: list[bytes]
    columns: dict[str, list[str | None]]
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
    lines = list(physical_lines(content))
    start, delimiter, headings = find_headings(lines, byte_encoding, contract, rules)
    _check_headings(headings, lines[start][0], contract, rules)
    known = {heading_key(column.heading): column for column in contract.columns}
    positions = {known[heading].name: i for i, heading in enumerate(headings) if heading in known}
    parsed = ParsedFile(
        encoding="utf-8" if encoding == "utf-8-sig" else encoding,
        line_numbers=[],
        raw_records=[],
        columns={},
        unknown_headings=[heading for heading in headings if heading and heading not in known],
    )
    width = len(headings)
    heading_line = headings
    kept: list[list[str]] = []
    for record in records(lines[start + 1 :], byte_encoding, delimiter, width):
        if record.fields is None:
            parsed.rejects.append(_reject(record, record.reason_code or "", byte_encoding))
            continue
        fields = record.fields
        if len(fields) != width:
            trailer = _trailer_count(fields)
            if trailer is not None:
                _check_trailer(parsed, trailer, record.line_number)
                continue
            if len(fields) > width and not any(value.strip() for value in fields[width:]):
                fields = fields[:width]
            elif not any(value.strip() for value in fields):
                continue
            else:
                parsed.rejects.append(_reject(record, "wrong_field_count", byte_encoding))
                continue
        elif not any(fields) or not any(value.strip() for value in fields):
            continue
        else:
            first = heading_key(fields[0])
            if (
                first == heading_line[0]
                and [rules.aliases.get(heading_key(v), heading_key(v)) for v in fields] == heading_line
            ):
                continue
            if not any(value.strip() for value in fields[2:]):
                trailer = _trailer_count(fields)
                if trailer is not None:
                    _check_trailer(parsed, trailer, record.line_number)
                    continue
        parsed.line_numbers.append(record.line_number)
        parsed.raw_records.append(record.data)
        kept.append(fields)
    by_position = list(zip(*kept, strict=True)) if kept else [()] * width
    parsed.columns = {name: list(by_position[position]) for name, position in positions.items()}
    return parsed


def find_headings(
    lines: list[tuple[int, bytes]], encoding: str, contract: Contract, rules: HeadingRules
) -> tuple[int, str, list[str]]:
    """Index of the heading row, delimiter, and the headings in the contract's spelling.

    The heading row is the first line within the titles that shares most headings with the contract.
    """
    known = {heading_key(column.heading) for column in contract.columns}
    best: tuple[int, int, str, list[str]] | None = None
    for index, (_, data) in enumerate(lines[: MAX_TITLE_LINES + 1]):
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


def _trailer_count(fields: list[str]) -> int | None:
    text = unicodedata.normalize("NFKC", " ".join(value for value in fields if value.strip())).strip()
    match = _TRAILER.match(text)
    return int(match.group(1).replace(",", "")) if match else None


def _check_trailer(parsed: ParsedFile, count: int, line: int) -> None:
    if count != parsed.rows_read:
        parsed.notes.append(
            f"Line {line}: the trailer counts {count} records, the file has {parsed.rows_read}: "
            "ask the holder whether the file is whole."
        )


def _reject(record: Record, reason_code: str, encoding: str) -> Reject:
    return Reject(record.line_number, reason_code, None, readable(record.data, encoding), record.data)


def readable(data: bytes, encoding: str) -> str:
    """A record as text; bytes that are no characters are shown as escapes, and the bytes are kept beside it."""
    return data.decode(encoding, errors="backslashreplace")
