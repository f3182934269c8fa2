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

REMINDED = (30, 14, 7, 3, 1, 0)
"""Days before the last day of a grant on which its person has a mail, whether there are notices or not."""
ENDING_JA = "あなたのアカウントを使えるのは{day}までです。続けて使うときは、情報システム管理者に更新を頼んでください。"


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
    from superset_config.security.grants import ending

    access = read_access()
    soon = ending(home, today)
    scopes = {member.username: member.scope for member in read_staff(home.staff, access)}
    for username in sorted({username for username, _ in settings.staff_channels}):
        scope = scopes.get(username)
        if scope is None or scope.is_empty or has_digest(store, username, today):
            continue
        shown = shown_to(Reach(home, scope, access, store), store, username, today)
        new = [notice for notice in shown if notice.is_unread and not notice.is_mailed]
        ends_on = soon.get(username)
        if new or (ends_on and (ends_on - today).days in REMINDED):
            targets = sorted({channel.target for name, channel in settings.staff_channels if name == username})
            message = digest_of(new, shown, today, settings.address, ends_on)
            put_digest(store, username, today, targets, message.subject, message.body, [one.notice_id for one in new])


def digest_of(
    new: Sequence[Notice], shown: Sequence[Notice], today: dt.date, address: str, ends_on: dt.date | None = None
) -> Message:
    """The mail about ``new`` notices among all that are ``shown``: counts by kind, and the address of the page.

    ``ends_on``: the last day of the account's grant, where it comes soon.
    """
    unread = sum(notice.is_unread for notice in shown)
    lines = [f"  {kinds()[kind].label_ja}　{count}件" for kind, count in counted(new).items()]
    body = [
        *([ENDING_JA.format(day=japanese_date(ends_on)), ""] if ends_on else []),
        "新しいお知らせがあります。" if new else "新しいお知らせはありません。",
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
