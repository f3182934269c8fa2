"""Submitted drafts that wait for the decision of an account: its notices about the model."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from kodomo.entries.store import EntryStore, draft_versions, notice_states
from kodomo.workshop.drafts import COMMENTED, CREATED, EDITED, SUBMITTED


@dataclass(frozen=True)
class Waiting:
    """A draft as it was last submitted (UTC). ``notice_id``: of this submission; another one is another notice."""

    draft_id: str
    model_version: str
    submitted_by: str
    submitted_at: dt.datetime
    notice_id: str
    is_read: bool


def waiting_for(store: EntryStore, username: str) -> list[Waiting]:
    """The drafts that an account may decide about, the newest submission first; none that it wrote or submitted.

    Whether the account may decide at all is the caller's to say.
    """
    columns = (draft_versions.c[name] for name in ("draft_id", "version", "action", "model_version", "entered_by"))
    query = sa.select(*columns, draft_versions.c.entered_at).order_by(
        draft_versions.c.draft_id, draft_versions.c.version
    )
    last: dict[str, sa.engine.Row] = {}
    authors: dict[str, set[str]] = {}
    with store.engine.connect() as connection:
        for row in connection.execute(query):
            if row.action != COMMENTED:
                last[row.draft_id] = row
            if row.action in (CREATED, EDITED, SUBMITTED):
                authors.setdefault(row.draft_id, set()).add(row.entered_by)
        mine = {
            _notice_id(row): row
            for draft_id, row in last.items()
            if row.action == SUBMITTED and username not in authors[draft_id]
        }
        read = {
            state.notice_id
            for state in connection.execute(
                notice_states.select().where(
                    notice_states.c.username == username,
                    notice_states.c.notice_id.in_(mine),
                    notice_states.c.read_at.isnot(None),
                )
            )
        }
    rows = sorted(mine.items(), key=lambda one: one[1].entered_at, reverse=True)
    return [
        Waiting(row.draft_id, row.model_version, row.entered_by, row.entered_at, notice_id, notice_id in read)
        for notice_id, row in rows
    ]


def _notice_id(row: sa.engine.Row) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"notice/model/{row.draft_id}/{row.version}"))
