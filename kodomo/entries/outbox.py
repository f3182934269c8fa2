"""Mails that wait to be sent: kept until the server took them, each under an id that a second try does not change."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from kodomo.entries.notices import note_mailed
from kodomo.entries.store import EntryStore, now, outbox

CLAIM = dt.timedelta(minutes=10)
"""After which a mail that a process took to send, and did not, may be taken by another."""
KEPT = dt.timedelta(days=400)


@dataclass(frozen=True)
class Waiting:
    """A mail to one target of an account. ``mail_id``: the same at each try."""

    mail_id: str
    username: str
    target: str
    subject: str
    body: str


def has_digest(store: EntryStore, username: str, day: dt.date) -> bool:
    """Whether the digest of an account and day is kept already, sent or not."""
    query = sa.select(outbox.c.mail_id).where(outbox.c.username == username, outbox.c.made_on == day).limit(1)
    with store.engine.connect() as connection:
        return connection.execute(query).first() is not None


def put_digest(
    store: EntryStore,
    username: str,
    day: dt.date,
    targets: Iterable[str],
    subject: str,
    body: str,
    notice_ids: Collection[str],
) -> None:
    """Keep the digest of an account and day for each target, and which notices it counts, in one transaction.

    Raises sqlalchemy.exc.IntegrityError where another process has just kept it.
    """
    rows = [
        {
            "mail_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"digest/{day}/{username}/{target}")),
            "username": username,
            "made_on": day,
            "target": target,
            "subject": subject,
            "body": body,
            "made_at": now(),
            "attempts": 0,
        }
        for target in targets
    ]
    with store.engine.begin() as connection:
        connection.execute(outbox.insert(), rows)
        note_mailed(connection, username, notice_ids)
        connection.execute(outbox.delete().where(outbox.c.sent_at < now() - KEPT))


def waiting(store: EntryStore) -> list[Waiting]:
    """The mails that no server has taken yet, oldest first."""
    query = outbox.select().where(outbox.c.sent_at.is_(None)).order_by(outbox.c.made_at, outbox.c.mail_id)
    with store.engine.connect() as connection:
        return [
            Waiting(row.mail_id, row.username, row.target, row.subject, row.body) for row in connection.execute(query)
        ]


def backlog(connection: sa.engine.Connection) -> tuple[int, dt.datetime | None]:
    """How many mails wait, and since when (UTC) the oldest; none where the tables are from before there were mails."""
    if not sa.inspect(connection).has_table(outbox.name):
        return 0, None
    query = sa.select(sa.func.count(), sa.func.min(outbox.c.made_at)).where(outbox.c.sent_at.is_(None))
    count, since = connection.execute(query).one()
    return count, since


def claim(store: EntryStore, mail_id: str) -> bool:
    """Take a mail to send it; False where another process has it or it is sent."""
    moment = now()
    free = outbox.c.claimed_at.is_(None) | (outbox.c.claimed_at < moment - CLAIM)
    with store.engine.begin() as connection:
        taken = connection.execute(
            outbox.update()
            .where(outbox.c.mail_id == mail_id, outbox.c.sent_at.is_(None), free)
            .values(claimed_at=moment, attempts=outbox.c.attempts + 1)
        )
    return taken.rowcount == 1


def note_sent(store: EntryStore, mail_id: str) -> None:
    """The server has it."""
    _note(store, mail_id, sent_at=now())


def give_back(store: EntryStore, mail_id: str) -> None:
    """It could not be sent: it waits for the next try."""
    _note(store, mail_id, claimed_at=None)


def _note(store: EntryStore, mail_id: str, **values: dt.datetime | None) -> None:
    with store.engine.begin() as connection:
        connection.execute(outbox.update().where(outbox.c.mail_id == mail_id).values(**values))
