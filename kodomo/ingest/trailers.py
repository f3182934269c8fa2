"""Recognises trailer lines, which state the number of records or their end: 合計 3名, 抽出件数=3, 以上, [EOF]."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from kodomo.contract import load_trailer_words

MOST_VALUES = 2
"""A whole record may hold the words of a trailer; a trailer holds nothing but its word and its number."""
_OPENING, _CLOSING = r"[\[({<【《〔*=#※\s-]*", r"[\])}>】》〕*=#\s.。-]*"


@dataclass(frozen=True)
class Trailer:
    """``count``: how many records it says the file has; None where it only says that they end."""

    count: int | None


def read_trailer(fields: Sequence[str], width: int) -> Trailer | None:
    """A record read as a trailer; None for an ordinary record. ``width``: number of headings."""
    values = [value for value in fields if value.strip()]
    if not values or (len(fields) >= width and len(values) > MOST_VALUES):
        return None
    text = unicodedata.normalize("NFKC", " ".join(values)).strip()
    match = _pattern().fullmatch(text)
    if match is None or not (match["number"] or match["end"]) or not (match["words"] or match["unit"]):
        return None
    return Trailer(int(match["number"].replace(",", "")) if match["number"] else None)


@lru_cache
def _pattern() -> re.Pattern[str]:
    words = load_trailer_words()

    def any_of(*kinds: str) -> str:
        # The longest first: 合計件数 is not 合計 and something else.
        listed = sorted((word for kind in kinds for word in words[kind]), key=len, reverse=True)
        return "|".join(re.escape(word) for word in listed)

    return re.compile(
        rf"{_OPENING}(?P<words>(?:(?:{any_of('count')}|(?P<end>{any_of('end')})){_CLOSING}[\s:=,、は]*)*)"
        rf"(?P<number>[0-9][0-9,]*)?\s*(?P<unit>{any_of('unit')})?\s*(?:です|でした)?\s*(?:\(.*\))?{_CLOSING}",
        re.IGNORECASE,
    )
