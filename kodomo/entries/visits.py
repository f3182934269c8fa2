"""When each child was last seen (最終確認): what the batch knew, and the visits that staff recorded since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kodomo.entries.store import EntryStore, Version
from kodomo.parameters import parameter

FORM = "visit"
SEEN_JA = "会えた"
"""The result of a visit that shows the child."""


@dataclass(frozen=True)
class LastSeen:
    """When a child was last seen. ``by``: how and by which department, empty where the reader does not see it.

    ``due_on``: the last day within the limit of its tier and age; None without a limit.
    """

    on: dt.date | None
    by: str
    due_on: dt.date | None
    is_overdue: bool
    is_from_entry: bool = False
    """Whether it is known from a visit that the batch has not read yet."""


def newest_visits(store: EntryStore) -> dict[str, Version]:
    """The newest visit at which each child was seen, by person id."""
    newest: dict[str, Version] = {}
    for visit in store.current(FORM):
        person_id = visit.person_id
        if person_id and shows_child(visit) and _is_after(visit, newest.get(person_id)):
            newest[person_id] = visit
    return newest


def shows_child(visit: Version) -> bool:
    """Whether the child was seen at a visit."""
    return visit.content.get("result") == SEEN_JA and bool(visit.content.get("visited_on"))


def _is_after(visit: Version, other: Version | None) -> bool:
    return other is None or _day(visit) > _day(other)


def _day(visit: Version) -> dt.date:
    return dt.date.fromisoformat(visit.content["visited_on"])


def last_seen(child: Mapping[str, Any], visit: Version | None, departments: Iterable[str] = ()) -> LastSeen | None:
    """When a child of bi_child was last seen, with its newest ``visit`` counted.

    ``departments``: whose visits the reader may see. None for a child before birth, and for a reader without the
    columns.
    """
    if "last_seen_on" not in child or child.get("is_unborn"):
        return None
    on, by, due_on = child["last_seen_on"], child.get("last_seen_by") or "", child.get("seen_by_on")
    if visit is None or (on is not None and _day(visit) <= on):
        return LastSeen(on, by, due_on, bool(child.get("is_sighting_overdue")))
    limit, day = child.get("sighting_limit_days"), _day(visit)
    until = day + dt.timedelta(days=limit) if limit is not None else None
    named = visit.department in set(departments)
    by = f"{visit.content.get('way', '')}（{parameter('departments')[visit.department]}）" if named else ""
    return LastSeen(day, by, until, until is not None and until < child["as_of_on"], is_from_entry=True)
