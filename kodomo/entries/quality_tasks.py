"""データ品質の課題: what is wrong with the data as of today, whose task it is, and what stewards have accepted.

The batch says what is wrong (bi_quality_task). What depends on today's date is worked out when the list is read: late
deliveries and a batch that stopped are there also, and above all, while no batch runs.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from kodomo.entries.store import EntryStore, Version
from kodomo.japanese import japanese_date
from kodomo.parameters import parameter
from kodomo.seeds import read_seed

FORM = "quality_task"
ACCEPT, REOPEN = "accept", "reopen"
OPEN, ACCEPTED, DONE = "open", "accepted", "done"
STATES_JA = {OPEN: "未対応", ACCEPTED: "了承した", DONE: "済んだ"}
LATE, STOPPED = "late", "batch_stopped"
GRAVE = 2
"""Up to this harm a task stops protection, everything, or a whole delivery."""
HARMS_JA = {
    1: "保護か、全体にかかわる",
    2: "納品がまるごと使われない",
    3: "記録が使われない",
    4: "値が違うかもしれない",
    5: "表示だけ・参考",
}


@dataclass(frozen=True)
class Kind:
    """A row of the seed quality_task_kinds."""

    kind: str
    label_ja: str
    harm: int
    harm_ja: str
    to_do_ja: str
    page: str | None
    is_overseers: bool
    sort_order: int


@dataclass(frozen=True)
class Task:
    """One task. ``item_count``: records concerned, None where it has none; ``acceptance``: the newest entry on it."""

    task_id: str
    kind: Kind
    source_id: str
    source_label: str
    holder: str
    holder_label: str
    since_on: dt.date | None
    heading: str = ""
    detail: str = ""
    delivery_id: str = ""
    file_name: str = ""
    item_count: int | None = None
    is_new: bool = False
    done_on: dt.date | None = None
    acceptance: Version | None = None

    @property
    def state(self) -> str:
        """A key of STATES_JA. What has become much larger than what was accepted is open again."""
        if self.done_on is not None:
            return DONE
        if self.acceptance is None or self.acceptance.content["decision"] != ACCEPT:
            return OPEN
        accepted = self.acceptance.content.get("item_count")
        if accepted is None or self.item_count is None:
            return ACCEPTED
        return ACCEPTED if self.item_count <= int(accepted) * parameter("accepted_growth") else OPEN

    @property
    def is_grave(self) -> bool:
        """Whether it stops protection, everything, or a whole delivery."""
        return self.kind.harm <= GRAVE


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by its code, in the order of the seed."""
    return {row["kind"]: Kind(**row) for row in read_seed("quality_task_kinds")}


def quality_tasks(
    rows: Iterable[Mapping[str, Any]],
    sources: Iterable[Mapping[str, Any]],
    published_on: dt.date | None,
    overseer: tuple[str, str],
    today: dt.date,
    store: EntryStore,
) -> list[Task]:
    """The tasks as they stand today, those that do most harm first.

    ``rows``: of bi_quality_task; ``sources``: of bi_source; ``published_on``: the day of the publication, None for a
    user who does not watch the batches; ``overseer``: code and label of the overseeing department. What was done long
    ago is left out.
    """
    shown_since = today - dt.timedelta(days=parameter("done_tasks_shown_days"))
    tasks = [_of_batch(row) for row in rows]
    tasks = [task for task in tasks if task.done_on is None or task.done_on >= shown_since]
    tasks += [_late(row, today) for row in sources if _is_late(row, today)]
    if published_on is not None and (today - published_on).days > parameter("batch_stopped_after_days"):
        tasks.append(_stopped(published_on, overseer, today))
    entries = {version.content["task"]: version for version in store.current(FORM)}
    return in_order(replace(task, acceptance=entries.get(task.task_id)) for task in tasks)


def in_order(tasks: Iterable[Task]) -> list[Task]:
    """By harm, within it by kind, then the largest and the oldest first."""
    return sorted(
        tasks,
        key=lambda task: (
            task.kind.harm, task.kind.sort_order, -(task.item_count or 0), task.since_on or dt.date.max,
            task.source_label, task.task_id,
        ),
    )  # fmt: skip


def decide(store: EntryStore, tasks: Iterable[Task], content: Mapping[str, str], *, by: str, department: str) -> None:
    """Keep that tasks are accepted, or open again, for one reason; each has a record of its own, a version each time.

    Raises ConflictError where another user has decided meanwhile.
    """
    for task in tasks:
        kept = {"task": task.task_id, "decision": content["decision"], "reason": content["reason"]}
        if task.item_count is not None:
            kept["item_count"] = str(task.item_count)
        if task.acceptance is None:
            record_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{FORM}/{task.task_id}"))
            store.create(FORM, kept, by=by, department=department, record_id=record_id)
        else:
            store.change(task.acceptance.record_id, task.acceptance.version, kept, by=by)


def _of_batch(row: Mapping[str, Any]) -> Task:
    named = ("task_id", "source_id", "source_label", "holder", "holder_label", "since_on", "is_new", "done_on")
    return Task(
        kind=kinds()[row["kind"]],
        **{name: row[name] for name in named},
        heading=row["heading"] or "",
        detail=row["detail_label"] or "",
        delivery_id=row["delivery_id"] or "",
        file_name=row["file_name"] or "",
        item_count=row["item_count"],
    )


def _is_late(source: Mapping[str, Any], today: dt.date) -> bool:
    return source["late_from"] is None or source["late_from"] <= today


def _late(source: Mapping[str, Any], today: dt.date) -> Task:
    due, last = source["late_from"], source["last_delivered_on"]
    if due is None:
        detail = f"まだ一度も届いていません（{source['rhythm']}）。"
    else:
        detail = (
            f"最後の納品は{japanese_date(last)}です（{source['rhythm']}）。期限を{(today - due).days}日過ぎています。"
        )
    return Task(
        # The next delivery ends it, and what was accepted of it.
        task_id=_id(LATE, source["source_id"], due),
        kind=kinds()[LATE],
        source_id=source["source_id"],
        source_label=source["source_label"],
        holder=source["holder"],
        holder_label=source["holder_label"],
        since_on=due,
        detail=detail,
    )


def _stopped(published_on: dt.date, overseer: tuple[str, str], today: dt.date) -> Task:
    holder, holder_label = overseer
    days = (today - published_on).days
    return Task(
        task_id=_id(STOPPED, published_on),
        kind=kinds()[STOPPED],
        source_id="",
        source_label="",
        holder=holder,
        holder_label=holder_label,
        since_on=published_on,
        detail=f"{japanese_date(published_on)}の公開から{days}日、新しい公開がありません。",
    )


def _id(*parts: Any) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:32]
