"""Children to be looked for (状況確認): what the batch listed, what staff recorded since, and the yearly return."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kodomo.entries.follow_ups import (
    UNTOUCHED_JA,
    FollowUp,
    by_record,
    in_order,
    is_done,
    newest,
    records_by_child,
    result_labels,
)
from kodomo.entries.store import EntryStore, Version
from kodomo.entries.visits import newest_visits
from kodomo.seeds import read_seed

FORM = "status_check"
RESULTS = "status_check_result"
NOW, THIS_YEAR, LAST_YEAR = "now", "this_year", "last_year"
"""The lists: of the last batch, of this year's date, of last year's."""
CANDIDATE = "candidate"
SEEN = "seen"


def checks(rows: Iterable[Mapping[str, Any]], store: EntryStore) -> list[FollowUp]:
    """Rows of bi_status_check with what staff recorded since, those to be looked for first.

    What staff recorded as done stands; else what the deliveries or a visit have shown; else what staff are doing. The
    store has every record: one that the batch read and that was deleted since counts no more.
    """
    records, visits = records_by_child(store, FORM), newest_visits(store)
    standing = (_check(row, records.get(row["person_id"], ()), visits.get(row["person_id"])) for row in rows)
    return in_order(standing, "criterion_order")


def _check(row: Mapping[str, Any], records: Iterable[Version], visit: Version | None) -> FollowUp:
    if not row["is_candidate"]:
        return FollowUp(row, row["standing_label"], is_open=False)
    record = newest((version for version in records if _counts(row, version.content["checked_on"])), RESULTS)
    if record is not None and is_done(record, RESULTS):
        return by_record(row, record, RESULTS)
    if row["result"] and not row["is_recorded"]:
        return FollowUp(row, row["result_label"], row["result_on"], is_open=bool(row["is_open"]))
    if visit is not None and _counts(row, visit.content["visited_on"], is_after=True):
        seen_on = dt.date.fromisoformat(visit.content["visited_on"])
        return FollowUp(row, result_labels(RESULTS)[SEEN], seen_on, is_open=False)
    return by_record(row, record, RESULTS) if record is not None else FollowUp(row)


def _counts(row: Mapping[str, Any], day: str, *, is_after: bool = False) -> bool:
    """Whether a day lies in the months of a list; ``is_after``: not on its first day."""
    on, begins_on = dt.date.fromisoformat(day), row["list_on"]
    return (begins_on < on if is_after else begins_on <= on) and on < row["counts_until_on"]


@dataclass(frozen=True)
class Line:
    """A line of the yearly return: counts by criterion and their sum, of this year and of last year.

    ``level``: 0 all children, 1 by standing, 2 candidates by what came of it. The lines of a level add up to the line
    that they are part of. ``last_year`` is None where there was no list.
    """

    level: int
    label_ja: str
    this_year: tuple[int, ...]
    last_year: tuple[int, ...] | None


@dataclass(frozen=True)
class YearlyReturn:
    """The return of this year's list beside last year's. ``criteria``: labels of the columns before the sum."""

    this_year_on: dt.date | None
    last_year_on: dt.date | None
    criteria: tuple[str, ...]
    lines: tuple[Line, ...]

    def table(self) -> list[list[str | int]]:
        """Heading and records, as they stand in the file."""
        columns = [*self.criteria, "計"]
        heading: list[str | int] = [
            "区分",
            "内訳",
            *(f"{label}（{_day(self.this_year_on)}）" for label in columns),
            *(f"前年 {label}（{_day(self.last_year_on)}）" for label in columns),
        ]
        groups = ("子ども全体", "位置づけ", "対象の結果")
        empty: tuple[str, ...] = ("",) * len(columns)
        return [
            heading,
            *([groups[line.level], line.label_ja, *line.this_year, *(line.last_year or empty)] for line in self.lines),
        ]


def _day(on: dt.date | None) -> str:
    return on.isoformat() if on else "一覧なし"


def yearly_return(counts: Iterable[Mapping[str, Any]]) -> YearlyReturn:
    """The return from rows of bi_status_check_count. Every standing and result has its line, also with nobody in it."""
    rows = list(counts)
    days = {row["list_kind"]: row["list_on"] for row in rows}
    criteria = sorted(read_seed("status_check_criteria"), key=lambda row: row["sort_order"])
    standings = sorted(read_seed("status_check_standings"), key=lambda row: row["sort_order"])
    results = [*result_labels(RESULTS).items(), (None, UNTOUCHED_JA)]

    def line(level: int, label_ja: str, **wanted: Any) -> Line:
        def of(list_kind: str) -> tuple[int, ...] | None:
            if list_kind not in days:
                return None
            fitting = [
                row
                for row in rows
                if row["list_kind"] == list_kind and all(row[name] == value for name, value in wanted.items())
            ]
            by_criterion = [
                sum(row["children"] for row in fitting if row["criterion"] == criterion["criterion"])
                for criterion in criteria
            ]
            return (*by_criterion, sum(by_criterion))

        return Line(level, label_ja, of(THIS_YEAR) or (0,) * (len(criteria) + 1), of(LAST_YEAR))

    lines = [line(0, "出生から小学校修了までの子ども")]
    lines += [line(1, row["label_ja"], standing=row["standing"]) for row in standings]
    lines += [line(2, label, standing=CANDIDATE, result=code) for code, label in results]
    return YearlyReturn(
        days.get(THIS_YEAR), days.get(LAST_YEAR), tuple(row["short_ja"] for row in criteria), tuple(lines)
    )
