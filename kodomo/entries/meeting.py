"""The meeting (会議): the children to review, the decisions and their outcomes. A score alone opens no case."""

from __future__ import annotations

import calendar
import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from kodomo.entries.changes import RISE, Change, Changes, bringing_back, look_by, since_decision
from kodomo.entries.store import EntryStore, Version
from kodomo.seeds import read_seed

CLASSES = ("A", "B", "C")
MEETING_FORM, AGENDA = "meeting_record", "agenda"
REVIEW_MONTHS = (1, 3, 6)
"""Months to the next look at a child, as the buttons offer them."""
STATES_JA = {
    "undecided": "未決定",
    "review": "見直しの日",
    "risen": "段階が上がった",
    "changed": "変化があった",
    "fallen": "下がった",
    "decided": "決定済",
}
OPEN_STATES = ("undecided", "review", "risen", "changed", "fallen")
BANDS_JA = {
    "past": "期限を過ぎている",
    "week": "7日以内に期限",
    "month": "30日以内に期限",
    "later": "期限は31日以上先",
    "none": "期限なし",
}


@dataclass(frozen=True)
class Item:
    """One child on the list. ``due_on``: by when the meeting should look; ``state``: a key of STATES_JA."""

    child: Mapping[str, Any]
    state: str
    due_on: dt.date | None
    decisions: tuple[Version, ...] = ()
    supports: tuple[Version, ...] = ()
    changes: tuple[Change, ...] = ()
    """What moved the child since the last decision."""

    @property
    def person_id(self) -> str:
        """The child."""
        return self.child["person_id"]

    @property
    def last_decision(self) -> Version | None:
        """The newest decision, None before the first."""
        return self.decisions[-1] if self.decisions else None

    @property
    def state_label(self) -> str:
        """The state for people."""
        return STATES_JA[self.state]


@dataclass(frozen=True)
class Filters:
    """Which of the children: empty = all."""

    area: str = ""
    tier: str = ""
    state: str = "open"
    """open, a key of STATES_JA, or all."""
    due_by: dt.date | None = None


@dataclass
class _Decided:
    decisions: list[Version] = field(default_factory=list)
    supports: list[Version] = field(default_factory=list)


def agenda(
    children: Iterable[Mapping[str, Any]],
    store: EntryStore,
    on: dt.date,
    filters: Filters,
    changes: Changes = MappingProxyType({}),
) -> list[Item]:
    """The list for a meeting on a date, most urgent first: due date, then rank.

    On it are the children of priority A to C, and the people with an earlier decision. A decided child that changed
    since is open again, at the same tier too.
    """
    decided: dict[str, _Decided] = {}
    for version in store.current("decision"):
        decided.setdefault(version.person_id or "", _Decided()).decisions.append(version)
    for version in store.current("support"):
        decided.setdefault(version.person_id or "", _Decided()).supports.append(version)
    items = []
    for child in children:
        known = decided.get(child["person_id"], _Decided())
        if child.get("priority_class") not in CLASSES and not known.decisions:
            continue
        item = _item(child, known, on, changes.get(child["person_id"], ()))
        if _fits(item, filters):
            items.append(item)
    far = dt.date.max
    return sorted(
        items, key=lambda item: (item.due_on or far, item.child.get("priority_rank") or 10**9, item.person_id)
    )


def _item(child: Mapping[str, Any], known: _Decided, on: dt.date, changes: Sequence[Change]) -> Item:
    decisions = tuple(sorted(known.decisions, key=lambda v: (v.content.get("meeting_on", ""), v.entered_at)))
    supports = tuple(known.supports)
    if not decisions:
        return Item(child, "undecided", child.get("due_on"), decisions, supports)
    last = decisions[-1].content
    moved = since_decision(changes, decisions[-1])
    review_on = dt.date.fromisoformat(last["review_on"]) if last.get("review_on") else None
    if review_on is not None and review_on <= on:
        return Item(child, "review", review_on, decisions, supports, moved)
    if int(child.get("tier_rank") or 0) > int(last.get("tier_rank_then") or 99):
        return Item(child, "risen", child.get("due_on"), decisions, supports, moved)
    back = bringing_back(changes, decisions[-1])
    if any(change.direction == RISE for change in back):
        days = (child.get("due_on"), look_by(back, child["as_of_on"]))
        return Item(child, "changed", min((day for day in days if day), default=None), decisions, supports, moved)
    return Item(child, "fallen" if back else "decided", review_on, decisions, supports, moved)


def of_state(items: Iterable[Item], state: str) -> list[Item]:
    """Those of a list that are in a state: open, a key of STATES_JA, or all."""
    return [item for item in items if _is_in(item, state)]


def band(item: Item, on: dt.date) -> str:
    """How near the due date is on the day of the meeting: a key of BANDS_JA, in the order of the list."""
    if item.due_on is None:
        return "none"
    days = (item.due_on - on).days
    return "past" if days < 0 else "week" if days <= 7 else "month" if days <= 30 else "later"


def _is_in(item: Item, state: str) -> bool:
    if state == "open":
        return item.state in OPEN_STATES
    return state in {"all", item.state}


def _fits(item: Item, filters: Filters) -> bool:
    if filters.area and item.child.get("area_code") != filters.area:
        return False
    if filters.tier and item.child.get("tier") != filters.tier:
        return False
    if not _is_in(item, filters.state):
        return False
    return filters.due_by is None or (item.due_on is not None and item.due_on <= filters.due_by)


def by_rank(items: Iterable[Item]) -> list[Item]:
    """Items in the order in which a meeting takes them: by rank, those without one last."""
    return sorted(items, key=lambda item: (item.child.get("priority_rank") or 10**9, item.person_id))


def capacities() -> dict[int, str]:
    """How many children a meeting, a month and so on can take, with the label (seed); the first is one meeting's."""
    return {row["capacity"]: row["label_ja"] for row in read_seed("meeting_capacities")}


def record_id_of(department: str, on: dt.date) -> str:
    """The id of the record of a department's meeting on a date: there is one."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{MEETING_FORM}/{department}/{on.isoformat()}"))


def meeting_record(store: EntryStore, department: str, on: dt.date) -> Version | None:
    """The newest version of the record of a meeting; None before its agenda was drawn up."""
    history = store.history(record_id_of(department, on))
    return history[-1] if history else None


def on_agenda(record: Version | None) -> set[str]:
    """Ids of the children on the agenda of a meeting."""
    return set(filter(None, (record.content if record else {}).get(AGENDA, "").split("|")))


def with_agenda(record: Version | None, chosen: Iterable[str], reach: Iterable[str]) -> str:
    """An agenda as it is kept, with ``chosen`` of the people in ``reach``; those beyond reach stay as they are."""
    return "|".join(sorted((on_agenda(record) - set(reach)) | set(chosen)))


def months_later(on: dt.date, months: int) -> dt.date:
    """The same day so many months later; the last of the month where there is no such day."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return dt.date(year, month + 1, min(on.day, calendar.monthrange(year, month + 1)[1]))


def decision_at(item: Item, on: dt.date) -> Version | None:
    """What the meeting of a date decided about a child; None where it has not yet."""
    return next((v for v in reversed(item.decisions) if v.content.get("meeting_on") == on.isoformat()), None)


def facts_at_decision(child: Mapping[str, Any]) -> dict[str, str]:
    """What is kept beside a decision of the child as it stood: tier, score, priority, as-of date."""
    return {
        "tier_then": str(child.get("tier") or ""),
        "tier_label_then": str(child.get("tier_label") or ""),
        "tier_rank_then": str(child.get("tier_rank") or 0),
        "total_score_then": str(child.get("total_score") if child.get("total_score") is not None else ""),
        "priority_then": str(child.get("priority_class") or ""),
        "as_of_then": str(child.get("as_of_on") or ""),
    }
