"""One box for everything that a child is searched by: name, kana, date of birth in any spelling, number."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from functools import cache

import duckdb

from kodomo.macros import load_macros
from superset_config.pages.reach import Terms

LONGEST = 200
# A date written with spaces between its parts is one word.
_GAP_IN_DATE = re.compile(r"(?<=[年月./-])\s+(?=[0-9])")
_DIGIT = re.compile(r"[0-9]")


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def parsed_date(text: str) -> dt.date | None:
    """A date in any spelling that staging reads (macro ``parse_date``); None for what is none."""
    query = f"select {load_macros()['parse_date']('spelt')} from (select ?::varchar as spelt)"  # noqa: S608  # our macro
    with _engine().cursor() as cursor:
        return cursor.execute(query, [text]).fetchall()[0][0]


def terms_of(text: str) -> Terms:
    """What a text in the box asks for: words with digits are a date of birth or a number, all others the name."""
    plain = _GAP_IN_DATE.sub("", unicodedata.normalize("NFKC", text[:LONGEST]))
    name, birth_on, number, either = [], None, "", None
    for word in plain.split():
        if not _DIGIT.search(word):
            name.append(word)
            continue
        date = parsed_date(word)
        if date is None:
            number = word
        elif word.isdecimal():
            either = (date, word)
        else:
            birth_on = date
    return Terms("".join(name), birth_on, number, either)
