"""Rejects as the holder's own file, to be mended there and delivered again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from kodomo.contract import load_contracts, load_heading_rules
from kodomo.errors import KodomoError, UsageError
from kodomo.home import Home
from kodomo.ingest.decisions import no_such_delivery
from kodomo.ingest.files import ParsedFile, parse
from kodomo.ingest.records import file_of
from kodomo.warehouse import connect


def export_rejects(home: Home, delivery_id: str) -> bytes:
    """The open rejects of a delivery as the holder's own file: its heading row, its bytes, its encoding.

    Mended there, the file is delivered again, and its rows take the place of the rejects. Raises UsageError for a
    delivery that is not there or has no rejects to mend.
    """
    with connect(home, read_only=True) as connection:
        delivery = connection.execute(
            "select sha256, source_id from raw.deliveries where delivery_id = ?", [delivery_id]
        ).fetchall()
        # Also of a delivery that is held or withdrawn: its holder may mend it all the same.
        unmended = connection.execute(
            "select record_bytes from raw.reject_states where delivery_id = ? and resolved_by_delivery_id is null "
            "and record_bytes is not null order by line_number",
            [delivery_id],
        ).fetchall()
    if not delivery:
        raise no_such_delivery(delivery_id)
    if not unmended:
        raise UsageError("The delivery {delivery_id} has no rejects to mend.", delivery_id=delivery_id)
    return _as_holders_file(home, *delivery[0], [bytes(row[0]) for row in unmended])


def _as_holders_file(home: Home, sha256: str, source_id: str, records: list[bytes]) -> bytes:
    """Records under the heading row of the original that they are from, in its encoding."""
    data = home.original(sha256).read_bytes()
    return _under_headings(data, parse(data, load_contracts()[source_id], load_heading_rules()), records)


@dataclass(frozen=True)
class RejectFile:
    """Rejects as the holder's own file, and how many were left out of it."""

    content: bytes
    left_out: int


@dataclass(frozen=True)
class People:
    """People by what a record may name them with."""

    numbers: frozenset[str] = frozenset()
    """Without zeros in front."""
    names: frozenset[str] = frozenset()
    """As ``_plain``."""

    @classmethod
    def of(cls, numbers: Iterable[str | None], names: Iterable[str | None]) -> People:
        """From numbers and names as they are kept; empty ones are left out."""
        stripped = frozenset(number.lstrip("0") for number in numbers if number)
        return cls(stripped - {""}, frozenset(_plain(name) for name in names if name) - {""})

    def are_named_in(self, text: str) -> bool:
        """Whether a record names one of them."""
        plain = _plain(text)
        numbers = {digits.lstrip("0") for digits in _DIGITS.findall(plain)}
        return not numbers.isdisjoint(self.numbers) or any(name in plain for name in self.names)


_DIGITS = re.compile("[0-9]+")


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def rejects_of_original(
    home: Home, sha256: str, source_id: str, lines: Collection[int], without: People | None = None
) -> RejectFile:
    """Records of a kept original by their lines, as ``export_rejects`` writes them; the warehouse is not asked.

    ``without``: people whose records are left out. Raises KodomoError where the original is no longer kept, and
    UsageError where none of the lines is in it.
    """
    try:
        data = home.original(sha256).read_bytes()
    except FileNotFoundError as error:
        raise KodomoError("The original of this delivery is no longer kept: ask the holder for the file.") from error
    parsed = parse(data, load_contracts()[source_id], load_heading_rules())
    wanted = set(lines)
    found = {reject.line_number: reject.record_bytes for reject in parsed.rejects if reject.line_number in wanted}
    for position in np.flatnonzero(np.isin(parsed.line_numbers, [*wanted])):
        found[int(parsed.line_numbers[position])] = parsed.raw_records(int(position))
    if not found:
        raise UsageError("The lines to mend are not in the original of this delivery.")
    kept = [
        record
        for _, record in sorted(found.items())
        if without is None or not without.are_named_in(record.decode(parsed.text_encoding, errors="replace"))
    ]
    return RejectFile(_under_headings(data, parsed, kept), len(found) - len(kept))


def _under_headings(data: bytes, parsed: ParsedFile, records: list[bytes]) -> bytes:
    return file_of([parsed.heading_record, *records], data, parsed.delivered_encoding)
