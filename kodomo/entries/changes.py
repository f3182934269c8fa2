"""What moved a child (変化) since the last batch and the last decision, and what brings it back to the meeting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kodomo.access.access import PROTECTION, WITHHELD
from kodomo.entries.store import Version
from kodomo.japanese import japanese_date
from kodomo.seeds import read_seed

RISE, FALL = "rise", "fall"


@dataclass(frozen=True)
class Change:
    """One change of a child. ``compared_on``: the as-of date it is compared with; ``happened_on``: of a fact, its day;
    ``since_on``: the as-of date of the first batch that had it, None where it is not on record.

    ``comes_back_after``: the decisions after which it brings the child back to the list of the meeting.
    """

    kind: str
    kind_label: str
    subject: str
    from_label: str
    to_label: str
    happened_on: dt.date | None
    why: str
    direction: str
    compared_on: dt.date
    is_since_batch: bool
    is_since_decision: bool
    comes_back_after: tuple[str, ...] = ()
    since_on: dt.date | None = None

    @property
    def is_fact(self) -> bool:
        """Whether it is a fact that became known, and no movement of a tier or score."""
        return not self.to_label

    @property
    def words(self) -> str:
        """点数が上がった: 虐待 3点 → 6.5点; 新しいケース: 児童相談所の受付 2026年4月12日."""
        if not self.is_fact:
            return f"{self.kind_label}: {self.subject} {self.from_label} → {self.to_label}"
        what = "" if self.subject == self.kind_label else f": {self.subject}"
        return f"{self.kind_label}{what} {japanese_date(self.happened_on)}".rstrip()


Changes = Mapping[str, Sequence[Change]]
"""Changes by child, what matters most first."""


def read_changes(rows: Iterable[Mapping[str, Any]], children: Mapping[str, Mapping[str, Any]]) -> Changes:
    """The changes of ``children`` from rows of bi_change; of a child whose place is withheld without days and texts."""
    by_child: dict[str, list[tuple[Any, Change]]] = {}
    for row in rows:
        person_id = row["person_id"]
        if person_id in children:
            is_withheld = WITHHELD in (children[person_id].get(PROTECTION), row.get(PROTECTION))
            order = (row["compared_on"], -row["change_no"])
            by_child.setdefault(person_id, []).append((order, change_of(row, is_withheld=is_withheld)))
    return {
        person_id: tuple(change for _, change in sorted(changes, key=lambda pair: pair[0], reverse=True))
        for person_id, changes in by_child.items()
    }


def change_of(row: Mapping[str, Any], *, is_withheld: bool = False) -> Change:
    """A change from a row of bi_change or of a determination's changes."""
    value = "" if is_withheld else row.get("value_label") or ""
    subject = row["subject_label"] or ""
    return Change(
        row["change_kind"],
        row["kind_label"],
        f"{subject}（{value}）" if value and value not in subject else subject,
        row["from_label"] or "",
        row["to_label"] or "",
        None if is_withheld else row["happened_on"],
        row["why"],
        row["direction"],
        row["compared_on"],
        row["is_since_batch"],
        bool(row.get("is_since_decision")),
        tuple((row.get("comes_back_after") or "").split("|")),
        row.get("since_on"),
    )


def since_batch(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Those since the last batch before the one in service."""
    return tuple(change for change in changes if change.is_since_batch)


def since_decision(changes: Iterable[Change], decision: Version | None) -> tuple[Change, ...]:
    """Those since what lay before the meeting at its last decision; none after a decision on what is in service.

    A decision that was typed while a batch ran is not known to it, but rests on the batch before: the date compared
    with says which changes are since then.
    """
    if decision is None:
        return ()
    basis = decision.content.get("as_of_then")
    if not basis:
        return tuple(change for change in changes if change.is_since_decision)
    return tuple(change for change in changes if change.compared_on.isoformat() == basis)


def look_by(changes: Iterable[Change], as_of_on: dt.date) -> dt.date | None:
    """By when the meeting looks at a child that these changes brought back (seed); None where no kind says.

    The days count from the first batch that had the change: a later batch puts no limit off.
    """
    days = {row["change_kind"]: row["look_within_days"] for row in read_seed("change_kinds")}
    limits = [
        (change.since_on or as_of_on) + dt.timedelta(days=days[change.kind])
        for change in changes
        if days.get(change.kind) is not None
    ]
    return min(limits, default=None)


def bringing_back(changes: Iterable[Change], decision: Version | None) -> tuple[Change, ...]:
    """Those since the decision that bring the child back to the list of the meeting."""
    what = decision.content.get("decision") if decision else None
    return tuple(change for change in since_decision(changes, decision) if what in change.comes_back_after)
