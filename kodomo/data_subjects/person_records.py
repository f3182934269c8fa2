"""The rows of the raw tables that one person is in: for disclosure, and for deletion at that person's request."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from kodomo.contract import Contract
from kodomo.linkage.explain import ATENA_WIDTH

SHARED_KEYS = {"school_person_no": "school_enrolment", "notification_no": "pregnancy_notifications"}
"""Numbers that several extracts name people by: column → the source that gives the number."""


@dataclass(frozen=True)
class Known:
    """The identifiers of a person in the last build: 宛名番号, and the keys of sources with numbers of their own."""

    person_id: str
    numbers: tuple[str, ...] = ()
    keys: dict[str, list[str]] = field(default_factory=dict)


def known_as(connection: duckdb.DuckDBPyConnection, person_id: str) -> Known:
    """Look a person up in the warehouse. Raises duckdb.CatalogException before the first build."""
    numbers = [
        row[0]
        for row in connection.execute(
            "select atena_no from intermediate.int_person__atena where person_id = ? order by atena_no", [person_id]
        ).fetchall()
    ]
    keys: dict[str, list[str]] = {}
    for source_id, key in connection.execute(
        "select source_id, source_key from intermediate.int_person__identities where person_id = ? order by all",
        [person_id],
    ).fetchall():
        keys.setdefault(source_id, []).append(key)
    return Known(person_id, tuple(numbers), keys)


def rows_about(contract: Contract, known: Known) -> tuple[str, list[Any]] | None:
    """A condition on the raw table of a source, with its values; None where the person cannot be in it."""
    conditions, values = [], []
    names = [column.name for column in contract.columns]
    for name in names:
        if name.endswith("atena_no") and known.numbers:
            number = f"lpad(ltrim(replace({name}, ' ', ''), '0'), {ATENA_WIDTH}, '0')"
            conditions.append(f"{number} in ({', '.join('?' * len(known.numbers))})")
            values += known.numbers
    shared = next((name for name in SHARED_KEYS if name in names), None)
    own = known.keys.get(SHARED_KEYS[shared] if shared else contract.source_id, [])
    if own:
        key = shared or names[0]
        conditions.append(f"replace({key}, ' ', '') in ({', '.join('?' * len(own))})")
        values += own
    if "subject_no" in names:
        # What people confirmed is filed under the person itself.
        others = sorted({known.person_id, *known.numbers})
        conditions.append(f"subject_no in ({', '.join('?' * len(others))})")
        values += others
    return (" or ".join(conditions), values) if conditions else None


def rows_naming(
    connection: duckdb.DuckDBPyConnection, contract: Contract, rows: Collection[Sequence[Any]], people: Collection[str]
) -> set[Any]:
    """First values of those rows that name one of the people, by a 宛名番号 or by a source's own number.

    ``rows``: a first value of the caller's, then the values of the contract's columns in their order.
    """
    if not people or not rows:
        return set()
    names = [column.name for column in contract.columns]
    shared = next((name for name in SHARED_KEYS if name in names), None)
    sources = {SHARED_KEYS[shared] if shared else contract.source_id}
    numbers = connection.execute(
        "select distinct atena_no from intermediate.int_person__atena where list_contains(?, person_id)",
        [list(people)],
    ).fetchall()
    keys = connection.execute(
        "select distinct source_key from intermediate.int_person__identities "
        "where list_contains(?, person_id) and list_contains(?, source_id)",
        [list(people), list(sources)],
    ).fetchall()
    theirs = {number.lstrip("0") for (number,) in numbers}
    own_keys = {key for (key,) in keys}
    subjects = {*people, *theirs}
    naming = set()
    for first, *cells in rows:
        for name, cell in zip(names, cells, strict=True):
            value = (cell or "").replace(" ", "")
            is_number = name.endswith("atena_no") and value.lstrip("0") in theirs
            is_key = name == (shared or names[0]) and value in own_keys
            is_subject = name == "subject_no" and bool({value, value.lstrip("0")} & subjects)
            if value and (is_number or is_key or is_subject):
                naming.add(first)
    return naming


def rejects_about(known: Known) -> tuple[str, list[Any]] | None:
    """The same for raw.rejects: a record that could not be read, and names one of the person's numbers."""
    own = [number.lstrip("0") for number in known.numbers]
    own += [key for key in {key for keys in known.keys.values() for key in keys} if len(key) >= 5]
    if not own:
        return None
    # A number, not a part of a longer one.
    pattern = "(^|[^0-9A-Za-z])0*(" + "|".join(map(re.escape, own)) + ")([^0-9A-Za-z]|$)"
    return "regexp_matches(record, ?)", [pattern]
