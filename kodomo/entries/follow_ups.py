"""Lists of children to be seen to, each closed with a result: what the batch listed, and what staff recorded since.

The forms of such a list have the fields ``checked_on`` and ``check_result``; what may come of it is a code list, in
which some results leave the row open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from kodomo.entries.store import EntryStore, Version
from kodomo.seeds import read_seed

UNTOUCHED_JA = "未着手"


@dataclass(frozen=True)
class FollowUp:
    """One row of a list as it stands now. ``result_on``: None while nothing came of it."""

    row: Mapping[str, Any]
    result_ja: str = UNTOUCHED_JA
    result_on: dt.date | None = None
    is_open: bool = True

    @property
    def person_id(self) -> str:
        """The child."""
        return self.row["person_id"]


@cache
def result_labels(code_list: str) -> dict[str, str]:
    """Code → label of what may come of it, in the order of the code list."""
    return {
        row["code"]: row["label_ja"]
        for row in read_seed("code_lists")
        if row["code_list"] == code_list and not row["is_none"]
    }


@cache
def open_results(code_list: str) -> frozenset[str]:
    """Labels of the results with which there is still something to do."""
    codes = {
        row["code"]
        for row in read_seed("code_meanings")
        if row["code_list"] == code_list and row["meaning"] == "is_open"
    }
    return frozenset(result_labels(code_list)[code] for code in codes)


def records_by_child(store: EntryStore, form: str) -> dict[str, list[Version]]:
    """The records of a form by person id, without the deleted ones."""
    records: dict[str, list[Version]] = {}
    for version in store.current(form):
        records.setdefault(version.person_id or "", []).append(version)
    return records


def is_done(record: Version, code_list: str) -> bool:
    """Whether nothing is left to do after a record."""
    return record.content["check_result"] not in open_results(code_list)


def newest(records: Iterable[Version], code_list: str) -> Version | None:
    """The record of the latest day; of one day, one after which nothing is left to do."""
    return max(
        records,
        key=lambda record: (record.content["checked_on"], is_done(record, code_list), record.entered_at),
        default=None,
    )


def by_record(row: Mapping[str, Any], record: Version, code_list: str) -> FollowUp:
    """A row as a record leaves it."""
    on = dt.date.fromisoformat(record.content["checked_on"])
    return FollowUp(row, record.content["check_result"], on, is_open=not is_done(record, code_list))


def in_order(follow_ups: Iterable[FollowUp], group_order: str) -> list[FollowUp]:
    """Those with something to do first, by the column of the group, area and name."""
    return sorted(
        follow_ups,
        key=lambda one: (
            not one.is_open,
            one.row[group_order],
            one.row["area_order"] if one.row["area_order"] is not None else 99,
            one.row["child_label"],
            one.person_id,
        ),
    )
