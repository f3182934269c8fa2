"""The digest of notices by day: counts and a link for each account that a channel of notifications.yml names."""

from __future__ import annotations

import contextlib
import datetime as dt
import smtplib
from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError

from kodomo.access.access import read_access
from kodomo.access.staff import read_staff
from kodomo.determination.notices import bring_up_to_date
from kodomo.entries.notices import Notice, counted, kinds, shown_to
from kodomo.entries.outbox import claim, give_back, has_digest, note_sent, put_digest, waiting
from kodomo.entries.store import EntryStore
from kodomo.home import Home
from kodomo.japanese import japanese_date
from orchestration.operations.notification import Message, Settings, read_settings


def send_digests(home: Home, store: EntryStore, today: dt.date) -> list[str]:
    """Keep the digest of the day of each account that has none yet, then send what waits, of earlier days too.

    Returns the problems, a line for each mail that still waits. Raises KodomoError for a wrong notifications.yml.
    """
    settings = read_settings(home)
    if not settings.staff_channels and not waiting(store):
        return []
    bring_up_to_date(home, store, today)
    # Another process has just kept it.
    with contextlib.suppress(IntegrityError):
        _keep_digests(home, store, today, settings)
    return _send_waiting(store, settings)


def _keep_digests(home: Home, store: EntryStore, today: dt.date, settings: Settings) -> None:
    from superset_config.pages.reach import Reach

    access = read_access()
    scopes = {member.username: member.scope for member in read_staff(home.staff, access)}
    for username in sorted({username for username, _ in settings.staff_channels}):
        scope = scopes.get(username)
        if scope is None or scope.is_empty or has_digest(store, username, today):
            continue
        shown = shown_to(Reach(home, scope, access, store), store, username, today)
        new = [notice for notice in shown if notice.is_unread and not notice.is_mailed]
        if new:
            targets = sorted({channel.target for name, channel in settings.staff_channels if name == username})
            message = digest_of(new, shown, today, settings.address)
            put_digest(store, username, today, targets, message.subject, message.body, [one.notice_id for one in new])


def digest_of(new: Sequence[Notice], shown: Sequence[Notice], today: dt.date, address: str) -> Message:
    """The mail about ``new`` notices among all that are ``shown``: counts by kind, and the address of the page."""
    unread = sum(notice.is_unread for notice in shown)
    lines = [f"  {kinds()[kind].label_ja}　{count}件" for kind, count in counted(new).items()]
    body = [
        "新しいお知らせがあります。",
        "",
        *lines,
        "",
        f"まだ読んでいないお知らせは、全部で{unread}件です。",
        "",
        f"{address}/kodomo/notices/",
        "",
        "名前と内容は、このメールには入りません。届く種類は、上の画面で選べます。",
    ]
    return Message(f"[こども統合DB] お知らせ {len(new)}件（{japanese_date(today)}）", "\n".join(body))


def _send_waiting(store: EntryStore, settings: Settings) -> list[str]:
    by_target = {(username, channel.target): channel for username, channel in settings.staff_channels}
    by_account = dict(reversed(settings.staff_channels))
    problems = []
    for mail in waiting(store):
        # Where the recipients were changed since, it goes to the account's present ones.
        channel = by_target.get((mail.username, mail.target)) or by_account.get(mail.username)
        if channel is None:
            problems.append(f"{mail.username}: no channel")
            continue
        if not claim(store, mail.mail_id):
            continue
        try:
            channel.send(Message(mail.subject, mail.body, mail.mail_id))
        except (OSError, smtplib.SMTPException) as error:
            give_back(store, mail.mail_id)
            problems.append(f"{mail.username}: {type(channel).__name__}: {type(error).__name__}")
        else:
            note_sent(store, mail.mail_id)
    return problems
