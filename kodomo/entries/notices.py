"""Notices to case workers (お知らせ): what has happened or is due, kept until its cause is over or its reader read it.

A notice is about a child and names none of its facts. Its id follows from what it is about, so that judging again makes
none twice; who may see it is decided when it is read, by the reader's present scope.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Protocol

import sqlalchemy as sa

from kodomo.access.access import PublishedTable
from kodomo.access.scope import Scope
from kodomo.contract import load_contracts
from kodomo.entries.changes import FALL, RISE, bringing_back, since_batch
from kodomo.entries.conditions import Conditions, People, change_kinds
from kodomo.entries.disputes import FORM as DISPUTED
from kodomo.entries.disputes import MENDED, Dispute
from kodomo.entries.forms import forms
from kodomo.entries.leavers import arrivals
from kodomo.entries.meeting import OPEN_STATES, Item, months_later
from kodomo.entries.plan import FORM as PLAN
from kodomo.entries.plan import for_family
from kodomo.entries.store import (
    EntryStore,
    Version,
    notice_choices,
    notice_marks,
    notice_states,
    notices,
    now,
    versions,
)
from kodomo.parameters import parameter
from kodomo.seeds import read_seed

KEPT_DAYS = 400
"""How long a notice is kept after it ended, or after it was made where its kind does not end."""
BACK_STATES = ("risen", "changed", "fallen")
"""States of the meeting's list in which a decided child is back because something changed."""
REVIEW = "review"
BIRTHDAY = ("birth_on", "case_opened_on")
"""Columns of bi_child that tell of an open case at the 18th birthday."""
STEP_PREFIX = "step_"
_MARK = "judged"
_IDS_AT_ONCE = 500
_WRITING = dt.timedelta(minutes=5)
"""An entry has its time before it is written: what is this much older than the newest may be written after it."""


@dataclass(frozen=True)
class Kind:
    """A kind of notice (seed notice_kinds). ``lead_days``: how long before its date it is shown."""

    code: str
    label_ja: str
    meaning_ja: str
    lead_days: int
    ends_by_itself: bool


@dataclass(frozen=True)
class Event:
    """What a notice is about. ``on``: its date, None without one; ``key``: what tells it from others of the kind."""

    kind: str
    person_id: str
    key: str
    on: dt.date | None = None
    detail: str = ""
    record_id: str | None = None

    @property
    def notice_id(self) -> str:
        """The same for the same event, whenever and by whatever process it is judged."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"notice/{self.kind}/{self.person_id}/{self.key}"))


@dataclass(frozen=True)
class Notice:
    """One notice as a reader has it. ``detail``: a code that its kind explains; ``is_ended``: its cause is over."""

    notice_id: str
    kind: str
    person_id: str
    record_id: str | None
    detail: str
    on: dt.date | None
    shown_from: dt.date
    is_ended: bool
    is_read: bool = False
    is_mailed: bool = False

    @property
    def is_unread(self) -> bool:
        """Whether it waits for its reader."""
        return not (self.is_read or self.is_ended)

    @property
    def detail_ja(self) -> str:
        """What the detail says, in Japanese; empty where the kind says all."""
        return _DETAILS_JA.get(self.detail) or change_kinds().get(self.detail) or _step_ja(self.detail)


_DETAILS_JA = {
    REVIEW: "見直しの日",
    "marked": "回答待ち",
    "mend": "「直す」という回答",
    "right": "「正しい」という回答",
    MENDED: "直りました",
    "late": "確認期限を過ぎています",
    "changed": "変化があった",
    "back_risen": "決定のときより段階が上",
    "back_fallen": "下がった",
}


def _step_ja(detail: str) -> str:
    number = detail.removeprefix(STEP_PREFIX)
    return f"取り組み{number}" if number != detail else ""


class Reader(People, Protocol):
    """The children of a reader's scope, and what of each table the scope has, as ``Reach`` says it."""

    scope: Scope

    def pages(self) -> list[str]:
        """Names of the pages of the scope."""
        ...

    def table(self, source: str) -> PublishedTable | None:
        """The scope's own table of a bi_ mart; None without."""
        ...


@cache
def kinds() -> dict[str, Kind]:
    """The kinds by code, what presses most first."""
    rows = sorted(read_seed("notice_kinds"), key=lambda row: row["sort_order"])
    return {
        row["kind"]: Kind(
            row["kind"], row["label_ja"], row["meaning_ja"], row["lead_days"] or 0, bool(row["ends_by_itself"])
        )
        for row in rows
    }


def events(people: People, disputes: Iterable[Dispute], store: EntryStore, today: dt.date) -> list[Event]:
    """All that is a notice today, or is one from a day before its date on, about the children of ``people``."""
    conditions = Conditions(people, store, today)
    return [
        *_of_the_meeting(conditions),
        *_of_changes(conditions),
        *_of_sightings(conditions),
        *_of_arrivals(people, store),
        *_of_disputes(people, disputes),
        *_of_plans(people, store),
        *_of_birthdays(conditions),
    ]


def _of_the_meeting(conditions: Conditions) -> Iterator[Event]:
    """Due dates of the meeting's list, and decided children that are on it again."""
    for item in conditions.meeting_items:
        is_review = item.state == REVIEW or (item.state == "decided" and item.due_on is not None)
        if item.due_on is not None and (item.state in OPEN_STATES or is_review):
            # Until a decision the due date of a child is one and the same notice, though a rise may bring it forward.
            since = item.last_decision.record_id if item.last_decision else ""
            key = f"{since}/{item.due_on}" if is_review else f"{since}/{item.state}"
            yield Event("due", item.person_id, key, item.due_on, REVIEW if is_review else "")
        if item.state in BACK_STATES:
            yield Event("back", item.person_id, _what_brought_back(item), detail=_back_detail(item.state))


def _back_detail(state: str) -> str:
    return state if state == "changed" else f"back_{state}"


def _what_brought_back(item: Item) -> str:
    """The decision, and the changes since: another change is another notice."""
    last = item.last_decision
    moved = sorted(
        f"{change.kind}/{change.subject}/{change.happened_on or change.to_label}"
        for change in bringing_back(item.changes, last)
    )
    return f"{last.record_id if last else ''}/{item.state}/{item.child.get('tier')}/{'|'.join(moved)}"


def _of_changes(conditions: Conditions) -> Iterator[Event]:
    """One notice for a child whose tier or score rose, or fell, since the batch before: what matters most."""
    for person_id, changes in conditions.changes.items():
        moved = [change for change in since_batch(changes) if not change.is_fact]
        for kind, direction in (("risen", RISE), ("fallen", FALL)):
            first = next((change for change in moved if change.direction == direction), None)
            if first is not None:
                as_of_on = conditions.people.children()[person_id]["as_of_on"]
                yield Event(kind, person_id, f"{as_of_on}/{first.kind}", as_of_on, first.kind)


def _of_sightings(conditions: Conditions) -> Iterator[Event]:
    for person_id, last in conditions.last_seen.items():
        if last.is_overdue:
            yield Event("not_seen", person_id, str(last.due_on), last.due_on)


def _of_arrivals(people: People, store: EntryStore) -> Iterator[Event]:
    rows = [row for row in people.rows("bi_arrival") if row["person_id"] in people.children()]
    for row in arrivals(rows, store):
        late = "late" if row["is_late"] else ""
        yield Event("arrival", row["person_id"], f"{row['arrived_on']}/{late}", row["see_by_on"], late)


def _of_disputes(people: People, disputes: Iterable[Dispute]) -> Iterator[Event]:
    for dispute in disputes:
        person_id = dispute.version.person_id
        if person_id in people.children():
            answer = dispute.answer.content["answer"] if dispute.answer else "marked"
            state = MENDED if dispute.state == MENDED else answer
            record_id = dispute.version.record_id
            yield Event("disputed", person_id, f"{record_id}/{state}", detail=state, record_id=record_id)


def _of_plans(people: People, store: EntryStore) -> Iterator[Event]:
    """Dates of the newest plan of each child, until its review is written down."""
    newest: dict[str, Version] = {}
    for version in store.current(PLAN):
        if version.person_id in people.children():
            newest[version.person_id or ""] = version
    for person_id, version in newest.items():
        if version.content.get("evaluation"):
            continue
        plan = for_family(version.content)
        dates = [(f"{STEP_PREFIX}{number}", step.until) for number, step in enumerate(plan.steps, 1)]
        for detail, on in (*dates, (REVIEW, plan.review_on)):
            yield Event("step_due", person_id, f"{version.record_id}/{detail}/{on}", on, detail, version.record_id)


def _of_birthdays(conditions: Conditions) -> Iterator[Event]:
    """The day on which childhood ends, of each child for whom a case, a decision or a support is still open then."""
    decided = {item.person_id for item in conditions.meeting_items if _goes_on(item.last_decision)}
    supported = {version.person_id for version in conditions.store.current("support") if not _has_ended(version)}
    for person_id, child in conditions.people.children().items():
        is_open = child.get("case_opened_on") is not None or person_id in decided or person_id in supported
        if is_open and not child["is_unborn"] and child.get("birth_on") is not None:
            of_age_on = _of_age_on(child["birth_on"])
            yield Event("coming_of_age", person_id, str(of_age_on), of_age_on)


def _of_age_on(birth_on: dt.date) -> dt.date:
    of_age_on = months_later(birth_on, parameter("childhood_months"))
    # As in int_child__leavings: born on 29 February, a child until 1 March.
    return of_age_on + dt.timedelta(days=int(of_age_on.day < birth_on.day))


def _goes_on(decision: Version | None) -> bool:
    return decision is not None and decision.content.get("decision", "none") != "none"


def _has_ended(support: Version) -> bool:
    return bool(support.content.get("ended_on"))


@dataclass(frozen=True)
class Mark:
    """What notices were judged by: publication, day, how many versions of entries, and the newest one's time (UTC)."""

    publication: str
    judged_on: dt.date
    entries: int
    entries_until: dt.datetime | None


def judged(store: EntryStore) -> Mark | None:
    """What notices were last judged by; None before the first time."""
    with store.engine.connect() as connection:
        row = connection.execute(notice_marks.select()).first()
    return Mark(row.publication, row.judged_on, row.entries, row.entries_until) if row else None


def mark_now(store: EntryStore, publication: str, today: dt.date) -> Mark:
    """What notices would be judged by now."""
    query = sa.select(sa.func.count(), sa.func.max(versions.c.entered_at)).select_from(versions)
    with store.engine.connect() as connection:
        entries, until = connection.execute(query).one()
    return Mark(publication, today, entries, until)


def entered_since(store: EntryStore, moment: dt.datetime | None) -> set[str] | None:
    """Whom entries from a moment on are about; None where it cannot be said, since one was erased."""
    query = sa.select(versions.c.person_id, versions.c.form).distinct()
    if moment is not None:
        query = query.where(versions.c.entered_at >= moment - _WRITING)
    with store.engine.connect() as connection:
        rows = connection.execute(query).all()
    if any(person_id is None and form in forms() and forms()[form].person_kind for person_id, form in rows):
        return None
    return {person_id for person_id, _ in rows if person_id is not None}


def keep(
    store: EntryStore,
    current: Iterable[Event],
    today: dt.date,
    mark: Mark,
    person_ids: Collection[str] | None = None,
) -> None:
    """Keep what is a notice now, and end what is none any more.

    ``person_ids``: whom ``current`` is about; None for everybody. ``mark``: what it was judged by. In one transaction;
    another process that judges at the same time writes the same rows.
    """
    with store.engine.begin() as connection:
        if store.is_sqlite:
            # A transaction that first reads and then writes would fail beside another.
            connection.exec_driver_sql("begin immediate")
        known = {row.notice_id: row for row in _rows_about(connection, person_ids)}
        standing: dict[str, Event] = {}
        for event in _with_overdue(current, today):
            standing.setdefault(event.notice_id, event)
        new = [_row_of(event, today) for notice_id, event in standing.items() if notice_id not in known]
        if new:
            connection.execute(notices.insert(), new)
        again = [notice_id for notice_id in standing if notice_id in known and known[notice_id].ended_at is not None]
        for notice_id, event in standing.items():
            row = known.get(notice_id)
            if row is not None and (row.ended_at is not None or row.on_date != event.on):
                values = _row_of(event, today)
                if row.ended_at is None:
                    values["made_at"] = row.made_at
                    if values["shown_from"] <= today:
                        values["shown_from"] = min(values["shown_from"], row.shown_from)
                    else:
                        # A date that was put off is a notice anew when it comes near.
                        again.append(notice_id)
                connection.execute(notices.update().where(notices.c.notice_id == notice_id).values(**values))
        for some in _portions(again):
            connection.execute(notice_states.delete().where(notice_states.c.notice_id.in_(some)))
        ending = {kind.code for kind in kinds().values() if kind.ends_by_itself}
        over = [
            row.notice_id
            for row in known.values()
            if row.notice_id not in standing and row.ended_at is None and row.kind in ending
        ]
        for some in _portions(over):
            connection.execute(notices.update().where(notices.c.notice_id.in_(some)).values(ended_at=now()))
        if person_ids is None:
            _delete_old(connection)
        connection.execute(notice_marks.delete())
        connection.execute(notice_marks.insert().values(mark=_MARK, **asdict(mark)))


def _with_overdue(current: Iterable[Event], today: dt.date) -> Iterator[Event]:
    """The events, and beside each due date that has passed that it has."""
    for event in current:
        yield event
        if event.kind == "due" and event.on is not None and event.on < today:
            yield Event("overdue", event.person_id, f"{event.key}/{event.on}", event.on, event.detail)


def _row_of(event: Event, today: dt.date) -> dict[str, Any]:
    lead = kinds()[event.kind].lead_days
    shown_from = max(today, event.on - dt.timedelta(days=lead)) if lead and event.on else today
    return {
        "notice_id": event.notice_id,
        "kind": event.kind,
        "person_id": event.person_id,
        "record_id": event.record_id,
        "detail": event.detail,
        "on_date": event.on,
        "shown_from": shown_from,
        "made_at": now(),
        "ended_at": None,
    }


def _rows_about(connection: sa.engine.Connection, person_ids: Collection[str] | None) -> Iterator[Any]:
    if person_ids is None:
        yield from connection.execute(notices.select())
        return
    for some in _portions(person_ids):
        yield from connection.execute(notices.select().where(notices.c.person_id.in_(some)))


def _portions(values: Iterable[str]) -> Iterator[list[str]]:
    """Values in lists that a statement may hold."""
    rest = sorted(values)
    for start in range(0, len(rest), _IDS_AT_ONCE):
        yield rest[start : start + _IDS_AT_ONCE]


def _delete_old(connection: sa.engine.Connection) -> None:
    before = now() - dt.timedelta(days=KEPT_DAYS)
    lasting = [kind.code for kind in kinds().values() if not kind.ends_by_itself]
    _delete(connection, (notices.c.ended_at < before) | (notices.c.kind.in_(lasting) & (notices.c.made_at < before)))


def forget(store: EntryStore, person_id: str, before: dt.datetime) -> None:
    """Delete the notices about a person that were made before a moment (UTC), and who read them."""
    with store.writing() as connection:
        _delete(connection, (notices.c.person_id == person_id) & (notices.c.made_at <= before))


def _delete(connection: sa.engine.Connection, condition: Any) -> None:
    chosen = sa.select(notices.c.notice_id).where(condition)
    connection.execute(notice_states.delete().where(notice_states.c.notice_id.in_(chosen)))
    connection.execute(notices.delete().where(condition))


def offered_kinds(reader: Reader) -> dict[str, Kind]:
    """The kinds that a scope may learn of: it has what they are made from."""
    judge = {
        **dict.fromkeys(("overdue", "due", "back"), _sees_the_meeting),
        **dict.fromkeys(("risen", "fallen"), _sees_tiers_before),
        "not_seen": lambda one: one.has_columns("bi_child", "last_seen_on", "is_sighting_overdue", "seen_by_on"),
        "arrival": lambda one: "arrivals" in one.pages() and one.table("bi_arrival") is not None,
        "disputed": lambda one: one.table("bi_observation") is not None,
        "step_due": lambda one: PLAN in one.pages(),
        "coming_of_age": lambda one: _sees_the_meeting(one) and one.has_columns("bi_child", *BIRTHDAY),
    }
    return {code: kind for code, kind in kinds().items() if judge[code](reader)}


def _sees_the_meeting(reader: Reader) -> bool:
    return reader.has_columns("bi_decision", "decision") and reader.has_columns("bi_child", "due_on", "priority_class")


def _sees_tiers_before(reader: Reader) -> bool:
    return reader.has_columns("bi_score_history", "scored_on", "tier") and reader.has_columns("bi_child", "tier")


def _sees_scores_before(reader: Reader) -> bool:
    table = reader.table("bi_change")
    return table is not None and not table.grant.holders


def shown_to(reader: Reader, store: EntryStore, username: str, today: dt.date) -> list[Notice]:
    """The notices of a reader that have begun, newest first: about children of the scope, of kinds that the scope
    may learn of and the reader wants."""
    offered = set(offered_kinds(reader)) - unwanted(store, username)
    mine = (notice_states.c.notice_id == notices.c.notice_id) & (notice_states.c.username == username)
    query = (
        sa.select(notices, notice_states.c.read_at, notice_states.c.mailed_at)
        .select_from(notices.outerjoin(notice_states, mine))
        .where(notices.c.shown_from <= today, notices.c.kind.in_(offered))
    )
    children = reader.children()
    with store.engine.connect() as connection:
        rows = [
            Notice(
                row.notice_id,
                row.kind,
                row.person_id,
                row.record_id,
                row.detail,
                row.on_date,
                row.shown_from,
                row.ended_at is not None,
                row.read_at is not None,
                row.mailed_at is not None,
            )
            for row in connection.execute(query)
            # Beside a due date that has passed, there is the notice that it has.
            if row.person_id in children and not (row.kind == "due" and row.on_date < today)
        ]
    sees_scores, readable = _sees_scores_before(reader), None
    shown = []
    for notice in rows:
        if notice.kind in ("risen", "fallen") and notice.detail.startswith("score") and not sees_scores:
            continue
        if notice.kind == "disputed":
            readable = _readable_disputes(reader, store) if readable is None else readable
            if notice.record_id not in readable:
                continue
        shown.append(notice)
    order = {code: place for place, code in enumerate(kinds())}
    return sorted(
        shown,
        key=lambda one: (-one.shown_from.toordinal(), order[one.kind], one.on or dt.date.max, one.notice_id),
    )


def _readable_disputes(reader: Reader, store: EntryStore) -> set[str]:
    """Ids of the marked lines that a scope may know of: its own, and those of facts that its sheets show."""
    table, contracts = reader.table("bi_observation"), load_contracts()
    holders = table.grant.holders if table is not None else ()
    sees_relatives = reader.table("bi_item_fact") is not None
    readable = set()
    for version in store.current(DISPUTED):
        contract = contracts.get(version.content.get("source_id", ""))
        is_own_fact = version.content.get("fact_person_id") == version.person_id
        sees_fact = table is not None and contract is not None and (not holders or contract.holder in holders)
        if version.department in reader.scope.departments or (sees_fact and (is_own_fact or sees_relatives)):
            readable.add(version.record_id)
    return readable


def unwanted(store: EntryStore, username: str) -> set[str]:
    """The kinds that a reader does not want."""
    query = sa.select(notice_choices.c.unwanted).where(notice_choices.c.username == username)
    with store.engine.connect() as connection:
        kept = connection.execute(query).scalar()
    return set(filter(None, (kept or "").split("|"))) & set(kinds())


def choose(store: EntryStore, username: str, wanted: Collection[str], offered: Collection[str]) -> None:
    """Keep which of the ``offered`` kinds a reader wants; of others the earlier choice stands."""
    chosen = (unwanted(store, username) - set(offered)) | (set(offered) - set(wanted))
    with store.engine.begin() as connection:
        connection.execute(notice_choices.delete().where(notice_choices.c.username == username))
        connection.execute(
            notice_choices.insert().values(username=username, unwanted="|".join(sorted(chosen)), chosen_at=now())
        )


def note_read(store: EntryStore, username: str, notice_ids: Iterable[str], *, is_read: bool = True) -> None:
    """Mark notices as read by a reader, or as not."""
    _note(store, username, notice_ids, "read_at", now() if is_read else None)


def note_mailed(connection: sa.engine.Connection, username: str, notice_ids: Iterable[str]) -> None:
    """Mark notices as counted in a mail to a reader, within the transaction that keeps the mail."""
    _upsert(connection, username, notice_ids, "mailed_at", now())


def _note(store: EntryStore, username: str, notice_ids: Iterable[str], column: str, value: Any) -> None:
    with store.engine.begin() as connection:
        if store.is_sqlite:
            connection.exec_driver_sql("begin immediate")
        _upsert(connection, username, notice_ids, column, value)


def _upsert(
    connection: sa.engine.Connection, username: str, notice_ids: Iterable[str], column: str, value: Any
) -> None:
    for some in _portions(set(notice_ids)):
        mine = (notice_states.c.username == username) & notice_states.c.notice_id.in_(some)
        there = set(connection.execute(sa.select(notice_states.c.notice_id).where(mine)).scalars())
        connection.execute(notice_states.update().where(mine).values({column: value}))
        new = [
            {"username": username, "notice_id": one, "read_at": None, "mailed_at": None, column: value}
            for one in some
            if one not in there
        ]
        if new:
            connection.execute(notice_states.insert(), new)


def counted(shown: Iterable[Notice]) -> dict[str, int]:
    """How many unread notices there are of each kind that has any, in the order of the kinds."""
    unread = [notice.kind for notice in shown if notice.is_unread]
    return {code: unread.count(code) for code in kinds() if code in unread}
