"""Children who left the city and those who came to it: what the batch knew, and what staff recorded since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from kodomo.entries.store import EntryStore, Version
from kodomo.entries.visits import newest_visits
from kodomo.seeds import read_seed

FORM = "handover"
TIER = "tier"
"""The reason that is a tier of the last determination."""
LEFT_ON = "left_on"
"""Kept beside the fields of the form: the day of the leaving that the record is about."""


@dataclass(frozen=True)
class Leaver:
    """One child of bi_leaver. ``record``: the hand-over that closes its leaving, None where none is recorded."""

    child: Mapping[str, Any]
    record: Version | None
    is_open: bool

    @property
    def person_id(self) -> str:
        """The child."""
        return self.child["person_id"]

    @property
    def handed_on(self) -> dt.date | None:
        """Day of the hand-over on record, or of the decision that none is needed."""
        return dt.date.fromisoformat(self.record.content["handed_on"]) if self.record else None


@dataclass(frozen=True)
class Receiver:
    """Whom a hand-over document may be for, and what the law lets it know of the child."""

    code: str
    label_ja: str
    legal_basis_ja: str
    knows_family: bool
    knows_case: bool
    knows_tier: bool
    knows_vertical: bool
    knows_horizontal: bool


@cache
def receivers() -> dict[str, Receiver]:
    """The receivers of the seed by code, in its order."""
    rows = sorted(read_seed("handover_receivers"), key=lambda row: row["sort_order"])
    return {
        row["receiver"]: Receiver(
            row["receiver"],
            row["label_ja"],
            row["legal_basis_ja"],
            *(
                bool(row[name])
                for name in ("knows_family", "knows_case", "knows_tier", "knows_vertical", "knows_horizontal")
            ),
        )
        for row in rows
    }


def reasons_for(receiver: Receiver, reasons: str) -> list[str]:
    """Labels of the reasons (codes joined by |) that a receiver may know: the tier only where it may know tiers."""
    return [
        row["label_ja"]
        for row in sorted(read_seed("leaver_reasons"), key=lambda row: row["sort_order"])
        if row["reason"] in reasons.split("|") and (row["reason"] != TIER or receiver.knows_tier)
    ]


def leavers(children: Iterable[Mapping[str, Any]], store: EntryStore) -> list[Leaver]:
    """Children of bi_leaver as they stand now, who left longest ago first.

    A child is open until a record closes its leaving. A record that the batch read and that was deleted since closes
    nothing.
    """
    records: dict[str, list[Version]] = {}
    for version in store.current(FORM, with_deleted=True):
        records.setdefault(version.person_id or "", []).append(version)
    standing = []
    for child in children:
        own = records.get(child["person_id"], [])
        closing = [version for version in own if not version.is_deleted and closes(version, child["left_on"])]
        record = max(closing, key=lambda version: (version.content["handed_on"], version.entered_at), default=None)
        is_open = record is None and (bool(child["is_open"]) or any(version.is_deleted for version in own))
        standing.append(Leaver(child, record, is_open))
    return sorted(standing, key=lambda leaver: (leaver.child["left_on"] or dt.date.min, leaver.person_id))


def closes(record: Version, left_on: dt.date | None) -> bool:
    """Whether a hand-over is about the leaving of that day: not about an earlier one, before a return."""
    days = [record.content[name] for name in (LEFT_ON, "handed_on") if record.content.get(name)]
    return bool(days) and (left_on is None or max(map(dt.date.fromisoformat, days)) >= left_on)


def arrivals(rows: Iterable[Mapping[str, Any]], store: EntryStore) -> list[Mapping[str, Any]]:
    """Rows of bi_arrival without the children that a visit has shown since, the earliest limit first."""
    visits = newest_visits(store)
    waiting = [row for row in rows if not _is_seen(visits.get(row["person_id"]), row["arrived_on"])]
    return sorted(waiting, key=lambda row: (row["see_by_on"] or dt.date.max, row["arrived_on"], row["person_id"]))


def _is_seen(visit: Version | None, arrived_on: dt.date) -> bool:
    return visit is not None and dt.date.fromisoformat(visit.content["visited_on"]) >= arrived_on
