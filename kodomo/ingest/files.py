"""Reads one delivered file by its contract: locates headings, checks the trailer, returns columns of text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from kodomo.contract import Contract, HeadingRules, Layout, heading_key
from kodomo.errors import KodomoError
from kodomo.ingest.escapes import carry_escapes, meant
from kodomo.ingest.layouts import combined, positions_of, recognise, spelled
from kodomo.ingest.records import (
    BYTES,
    LineEnds,
    Record,
    as_delivered,
    decode_plain,
    detect_encoding,
    is_cut_off,
    physical_lines,
    plain_lines,
    record_at,
    split_fields,
    split_plain,
    to_byte_text,
    utf_16,
    without_end_mark,
)
from kodomo.ingest.trailers import read_trailer
from kodomo.messages import Sentence

MAX_TITLE_LINES = 20
FEWEST_WITH_A_TAIL = 3
"""So many records must end in the same empty fields that no heading has: one may be a comma too many in a text."""


class RefusedError(KodomoError):
    """The file as a whole is not accepted."""


class ForbiddenError(RefusedError):
    """Nothing of the file may be kept."""


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
    layout: Layout
    rejects: list[Reject] = field(default_factory=list)
    unknown_headings: list[str] = field(default_factory=list)
    doubts: list[Sentence] = field(default_factory=list)
    """Why the file may not be whole, for people; empty for most."""

    text_encoding: str = "utf-8"
    """The encoding of ``raw_records``."""
    heading_record: bytes = b""
    """The heading row, as it was delivered."""
    delivered_encoding: str = "utf-8"
    """The encoding of the file; ``utf-8-sig`` where it has a byte order mark."""

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
    content, has_end_mark = without_end_mark(content)
    lines = physical_lines(content)
    try:
        row = find_headings(lines, byte_encoding, contract, rules)
    except RefusedError as error:
        if encoding != "cp932" or isinstance(error, ForbiddenError):
            raise
        # Bytes that are no UTF-8 are one record's fault, where the headings can be read as UTF-8.
        try:
            row = find_headings(lines, "utf-8", contract, rules)
        except RefusedError:
            raise error from None
        encoding = byte_encoding = "utf-8"
    _check_headings(row.headings, row.index + 1, contract, rules)
    text_encoding = utf_16(data) if encoding == "utf-16" else byte_encoding
    file = _File(
        data=data, encoding=encoding, text_encoding=text_encoding, ends=LineEnds(content), has_end_mark=has_end_mark
    )
    parsed = _read(content, lines, byte_encoding, row, contract, rules, file)
    escaped = carry_escapes(content, lines, byte_encoding, row.delimiter)
    if escaped is None:
        return parsed
    lines = physical_lines(escaped.content)
    file = replace(file, first_lines=np.array(escaped.first_lines))
    row = find_headings(lines, "utf-8", contract, rules)
    as_meant = _read(escaped.content, lines, "utf-8", row, contract, rules, file)
    return as_meant if _broken(as_meant) <= _broken(parsed) else parsed


STRUCTURAL = {"wrong_field_count", "unbalanced_quote"}


def _broken(parsed: ParsedFile) -> int:
    return sum(reject.reason_code in STRUCTURAL for reject in parsed.rejects)


@dataclass(frozen=True)
class _File:
    """What the records of a content are shown as: the bytes and the lines of the file as delivered."""

    data: bytes
    encoding: str
    text_encoding: str
    ends: LineEnds
    has_end_mark: bool
    first_lines: np.ndarray | None = None
    """By line of the content, the index of its physical line; None: they are the same."""

    def line_number(self, index: int) -> int:
        """The number of the physical line."""
        return 1 + (index if self.first_lines is None else int(self.first_lines[index]))

    def delivered(self, index: int, record: bytes) -> bytes:
        """The bytes of a record that begins at a line of the content, as they were delivered."""
        if self.first_lines is not None:
            following = index + max(1, len(record.splitlines()))
            stop = int(self.first_lines[following]) if following < len(self.first_lines) else None
            record = self.ends.together(int(self.first_lines[index]), stop)
        return as_delivered(record, self.data, self.encoding)


def _read(
    content: bytes,
    lines: list[bytes],
    byte_encoding: str,
    row: HeadingRow,
    contract: Contract,
    rules: HeadingRules,
    file: _File,
) -> ParsedFile:
    """The records of a content below its heading row."""
    delimiter, headings = row.delimiter, row.headings
    layout = recognise(headings, contract)
    places = {
        column.name: heading_positions
        for column in contract.columns
        if (heading_positions := positions_of(layout.origins[column.name], headings))
    }
    positions = sorted({position for heading_positions in places.values() for position in heading_positions})
    width, first = len(headings), row.following
    is_plain = np.concatenate([np.zeros(first, dtype=bool), plain_lines(lines[first:], delimiter, width, headings[0])])
    ends = LineEnds(content)
    kept: list[Record] = []
    rejects: list[Reject] = []
    with_tail: list[Record] = []
    doubts: list[Sentence] = []
    following = first
    is_short = False
    for index in np.flatnonzero(~is_plain[first:]) + first:
        if index < following:
            continue
        is_short = False
        record, following = record_at(lines, int(index), byte_encoding, delimiter, width, ends)
        is_plain[index:following] = False
        if record is None:
            continue
        if record.fields is None:
            rejects.append(_reject(record, record.reason_code or "", byte_encoding))
            is_short = record.reason_code == "unbalanced_quote"
            continue
        if _is_empty(record.fields) or _repeats_headings(record.fields, headings, contract, rules):
            continue
        trailer = read_trailer(record.fields, width)
        is_short = trailer is None and len(record.fields) < width
        if trailer is not None:
            rows_read = int(is_plain[:index].sum()) + len(kept) + len(rejects) + len(with_tail)
            if trailer.count not in {None, rows_read}:
                line = file.line_number(index)
                doubts.append(
                    Sentence(
                        "Line {line}: the trailer counts {count} records, the file has {rows}.",
                        line=line, count=trailer.count, rows=rows_read,
                    )
                )  # fmt: skip
        elif is_short or any(value.strip() for value in record.fields[width:]):
            rejects.append(_reject(record, "wrong_field_count", byte_encoding))
        elif len(record.fields) > width:
            with_tail.append(record)
        else:
            kept.append(record)
    is_open = not file.has_end_mark and len(lines) > 1 and not content.endswith((b"\n", b"\r"))
    if is_open and is_cut_off(lines[-1], byte_encoding):
        doubts.append(
            Sentence(
                "Line {line}: the file ends within a character, without the end of its line.",
                line=file.line_number(len(lines) - 1),
            )
        )
    elif is_open and not is_plain[-1] and is_short:
        doubts.append(
            Sentence(
                "Line {line}: the file ends within a record, without the end of its line.",
                line=file.line_number(len(lines) - 1),
            )
        )
    tail = _common_tail(with_tail, width, row.tail) if not is_plain.any() and not kept else None
    for record in with_tail:
        if len(record.fields or ()) == tail:
            kept.append(record)
        else:
            rejects.append(_reject(record, "wrong_field_count", byte_encoding))
    text, undecodable = decode_plain(lines, np.flatnonzero(is_plain), byte_encoding)
    for index in undecodable:
        is_plain[index] = False
        rejects.append(_reject(Record(index + 1, lines[index], None), "undecodable", byte_encoding))
    rejects.sort(key=lambda reject: reject.line_number)
    plain = np.flatnonzero(is_plain)
    line_numbers = np.concatenate([plain + 1, np.array([record.line_number for record in kept], dtype=plain.dtype)])
    order = np.argsort(line_numbers, kind="stable")
    table = split_plain(text, delimiter, width, positions)
    irregular = {record.line_number: record.data for record in kept}
    ordered = line_numbers[order]
    delivered = {
        position: meant(
            pa.chunked_array(
                [
                    *table.column(str(position)).chunks,
                    pa.array([record.fields[position] for record in kept], pa.string()),
                ]
            )
            .combine_chunks()
            .take(pa.array(order)),
            is_escaped=file.first_lines is not None,
        )
        for position in positions
    }
    return ParsedFile(
        encoding="utf-8" if file.encoding == "utf-8-sig" else file.encoding,
        line_numbers=ordered if file.first_lines is None else file.first_lines[ordered - 1] + 1,
        raw_records=lambda position: file.delivered(
            (index := int(ordered[position]) - 1), irregular.get(index + 1, lines[index])
        ),
        columns={
            name: combined([delivered[position] for position in heading_positions], layout.origins[name])
            for name, heading_positions in places.items()
        },
        layout=layout,
        rejects=[_as_delivered(reject, file) for reject in rejects],
        unknown_headings=[heading for heading in headings if heading and heading not in layout.headings],
        doubts=doubts,
        heading_record=file.delivered(row.index, ends.together(row.index, row.following)),
        delivered_encoding=file.encoding,
        text_encoding=file.text_encoding,
    )


def _as_delivered(reject: Reject, file: _File) -> Reject:
    index = reject.line_number - 1
    data = file.delivered(index, reject.record_bytes)
    text = reject.record if file.first_lines is None else readable(data, file.text_encoding)
    return replace(reject, line_number=file.line_number(index), record=text, record_bytes=data)


def _common_tail(records: list[Record], width: int, heading_tail: int) -> int | None:
    """How many fields the records have that have more than ``width`` and nothing in those behind; None: not the same.

    ``heading_tail``: how many empty headings stand at the end of the heading row.
    """
    counts = Counter(len(record.fields or ()) for record in records)
    for fields, count in counts.most_common(1):
        if 2 * count > len(records) and (fields == width + heading_tail or count >= FEWEST_WITH_A_TAIL):
            return fields
    return None


def _is_empty(fields: list[str]) -> bool:
    return not any(value.strip() for value in fields)


def _repeats_headings(fields: list[str], headings: list[str], contract: Contract, rules: HeadingRules) -> bool:
    if spelled(heading_key(fields[0]), contract, rules) != headings[0] or any(
        value.strip() for value in fields[len(headings) :]
    ):
        return False
    return [spelled(heading_key(value), contract, rules) for value in fields[: len(headings)]] == headings


@dataclass(frozen=True)
class HeadingRow:
    """The heading row: its line's index, the index of the line after it, and what stands in it."""

    index: int
    following: int
    delimiter: str
    headings: list[str]
    """In the contract's spelling, without the empty ones at the end."""
    tail: int
    """How many empty ones there are."""


def find_headings(lines: list[bytes], encoding: str, contract: Contract, rules: HeadingRules) -> HeadingRow:
    """The line within the titles that shares most headings with the contract, with those that a quoted heading with a
    line break goes on in.

    Raises RefusedError where no line has any.
    """
    known = contract.headings
    best: tuple[int, HeadingRow] | None = None
    for index, data in enumerate(lines[: MAX_TITLE_LINES + 1]):
        for delimiter in (",", "\t"):
            following = _end_of_headings(lines, index, delimiter) if b'"' in data else index + 1
            try:
                text = b"\n".join(lines[index:following]).decode(encoding)
            except UnicodeDecodeError:
                continue
            keys = [heading_key(value) for value in split_fields(text, delimiter)[0]]
            headings = [spelled(key, contract, rules) for key in keys]
            score = len(known.intersection(headings))
            if len(keys) > 1 and any(rules.forbidden_in(key) for key in keys):
                score = max(score, 1)
            if score and (best is None or score > best[0]):
                tail = 0
                while headings and not headings[-1]:
                    headings.pop()
                    tail += 1
                best = (score, HeadingRow(index, following, delimiter, headings, tail))
    if best is None:
        _refuse_forbidden_words(lines[: MAX_TITLE_LINES + 1], encoding, rules)
        if any(b"\x00" in line for line in lines):
            raise RefusedError("This is no CSV file (it holds zero bytes): export the extract as CSV again.")
        expected = "、".join(column.heading for column in contract.columns[:4])
        raise RefusedError(
            "No heading row in the first {lines} lines: the file must have the headings {expected} …",
            lines=MAX_TITLE_LINES + 1,
            expected=expected,
        )
    return best[1]


def _end_of_headings(lines: list[bytes], index: int, delimiter: str) -> int:
    """The index after the lines of a heading row that begins at the index; the next one if its quotes do not close."""
    for following in range(index + 1, min(len(lines), index + MAX_TITLE_LINES) + 1):
        _, is_open = split_fields(b"\n".join(lines[index:following]).decode(BYTES), delimiter)
        if not is_open:
            return following
    return index + 1


def may_be_kept(data: bytes, rules: HeadingRules) -> bool:
    """Whether nothing forbidden stands in the first lines of a file that could not be read as one."""
    content, encoding = to_byte_text(data, detect_encoding(data))
    try:
        _refuse_forbidden_words(physical_lines(content)[: MAX_TITLE_LINES + 1], encoding, rules)
    except RefusedError:
        return False
    return True


def _refuse_forbidden_words(lines: list[bytes], encoding: str, rules: HeadingRules) -> None:
    """A file without any heading of the contract may still be one of which nothing may be kept."""
    for number, line in enumerate(lines, start=1):
        cells = re.split(r"[,;\t]", line.decode(encoding, errors="ignore"))
        pattern = next(filter(None, map(rules.forbidden_in, cells)), None)
        if pattern:
            raise ForbiddenError(
                "Line {line}: {heading} is forbidden here, and there is no heading row. Nothing of the file was kept.",
                line=number,
                heading=pattern,
            )


def _check_headings(headings: list[str], line: int, contract: Contract, rules: HeadingRules) -> None:
    for heading in headings:
        if rules.forbidden_in(heading):
            raise ForbiddenError(
                "Line {line}: the heading {heading} is forbidden here. Nothing of the file was kept; deliver it again "
                "without this column.",
                line=line,
                heading=heading,
            )
    double = sorted({heading for heading in headings if heading and headings.count(heading) > 1})
    if double:
        raise RefusedError(
            "Line {line}: the heading {heading} is there twice: keep one of them.", line=line, heading="、".join(double)
        )
    layout = recognise(headings, contract)
    missing = [
        heading
        for column in contract.columns
        for heading in layout.origins[column.name].headings
        if heading in layout.required and heading not in headings
    ]
    if missing:
        raise RefusedError(
            "Line {line}: the required heading {heading} is missing: deliver the file with it.",
            line=line,
            heading="、".join(missing),
        )


def _reject(record: Record, reason_code: str, encoding: str) -> Reject:
    return Reject(record.line_number, reason_code, None, readable(record.data, encoding), record.data)


def readable(data: bytes, encoding: str) -> str:
    """A record as text; bytes that are no characters are shown as escapes, and the bytes are kept beside it."""
    return data.decode(encoding, errors="backslashreplace").replace("\x00", "\\x00")
