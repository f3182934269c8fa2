"""Notifications to the channels that ``notifications.yml`` of the home folder lists.

    address: https://kodomo.example.jp
    channels:
      - {kind: file, folder: /srv/notices}
      - {kind: smtp, host: mail.example.jp, port: 587, sender: kodomo@example.jp, recipients: [a@example.jp],
         starttls: true, username: kodomo, password_file: /etc/kodomo/smtp-password}
      - {kind: smtp, host: mail.example.jp, sender: kodomo@example.jp, recipients: [b@example.jp], staff: child_ryotsu}

A channel with ``staff`` carries the digests of notices of that account (``digest.py``), the others carry to stewards
what came of a run. A message holds names of sources and files, counts and states: never a value of a person.
"""

from __future__ import annotations

import datetime as dt
import smtplib
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import yaml

from kodomo.contract import load_contracts
from kodomo.errors import KodomoError
from kodomo.files import write_atomically
from kodomo.home import Home
from kodomo.japanese import japanese_date
from kodomo.parameters import labels

if TYPE_CHECKING:
    from orchestration.batch import Batch

SECONDS = 20


@dataclass(frozen=True)
class Message:
    """A notification: the subject, one line, and the text below it."""

    subject: str
    body: str
    message_id: str = ""
    """Of a message that may be tried again: the same each time, so that a mail program shows one."""


class Channel(Protocol):
    """A channel for notifications. ``send`` raises OSError or smtplib.SMTPException on failure."""

    @property
    def target(self) -> str:
        """Whom it reaches."""

    def send(self, message: Message) -> None:
        """Send the message."""


@dataclass(frozen=True)
class FileDrop:
    """A text file per message in a folder, complete as soon as it has its name."""

    folder: Path

    @property
    def target(self) -> str:
        """The folder."""
        return str(self.folder)

    def send(self, message: Message) -> None:
        """Write the file; readable by its owner and group."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        stamp = message.message_id or f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S%f}"
        write_atomically(self.folder / f"{stamp}.txt", f"{message.subject}\n\n{message.body}\n", mode=0o640)


@dataclass(frozen=True)
class Mail:
    """A mail per message, in UTF-8."""

    host: str
    sender: str
    recipients: tuple[str, ...]
    port: int = 25
    starttls: bool = False
    username: str | None = None
    password_file: Path | None = None

    @property
    def target(self) -> str:
        """The recipients."""
        return ", ".join(self.recipients)

    def send(self, message: Message) -> None:
        """Hand it to the mail server."""
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = message.subject, self.sender, self.target
        if message.message_id:
            mail["Message-ID"] = f"<{message.message_id}@{self.sender.rpartition('@')[2]}>"
        mail.set_content(message.body)
        with smtplib.SMTP(self.host, self.port, timeout=SECONDS) as server:
            if self.starttls:
                server.starttls(context=ssl.create_default_context())
            if self.username and self.password_file:
                server.login(self.username, self.password_file.read_text(encoding="utf-8").strip())
            server.send_message(mail)


def _file_drop(given: Mapping[str, Any]) -> Channel:
    return FileDrop(Path(given["folder"]))


def _mail(given: Mapping[str, Any]) -> Channel:
    paths = {"password_file": Path(given["password_file"])} if given.get("password_file") else {}
    return Mail(**{**given, "recipients": tuple(given["recipients"]), **paths})


KINDS: dict[str, Callable[[Mapping[str, Any]], Channel]] = {"file": _file_drop, "smtp": _mail}
"""How a channel of each kind is made from its entry; another kind is another entry here."""


@dataclass(frozen=True)
class Settings:
    """What ``notifications.yml`` says: channels for stewards, channels by account, and where the product is."""

    channels: tuple[Channel, ...] = ()
    staff_channels: tuple[tuple[str, Channel], ...] = ()
    address: str = ""


def channels(home: Home) -> list[Channel]:
    """The channels to stewards of a home; none without ``notifications.yml``. Raises as ``read_settings``."""
    return list(read_settings(home).channels)


def read_settings(home: Home) -> Settings:
    """The settings of a home; empty without ``notifications.yml``.

    Raises KodomoError naming the entry that is wrong.
    """
    file = home.notifications
    if not file.exists():
        return Settings()
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        entries, address = content.get("channels") or [], str(content.get("address") or "").rstrip("/")
    except (yaml.YAMLError, AttributeError) as error:
        raise KodomoError("notifications.yml is no list of channels: see docs/data-stewards.ja.md.") from error
    configured: list[tuple[str, Channel]] = []
    for number, entry in enumerate(entries, 1):
        try:
            given = dict(entry)
            username = str(given.pop("staff", ""))
            configured.append((username, KINDS[given.pop("kind")](given)))
        except (KeyError, TypeError, ValueError) as error:
            raise KodomoError(
                "notifications.yml, channel {number}: kind is one of {names}; a file channel has a "
                "folder, a smtp channel host, sender and recipients.",
                number=number,
                names=", ".join(KINDS),
            ) from error
        if username and not address.startswith(("https://", "http://")):
            raise KodomoError(
                "notifications.yml, channel {number}: with staff, the file says in address where the pages are, such "
                "as https://kodomo.example.jp.",
                number=number,
            )
    return Settings(
        tuple(channel for username, channel in configured if not username),
        tuple((username, channel) for username, channel in configured if username),
        address,
    )


def send(home: Home, message: Message) -> list[str]:
    """Send a message to every channel; returns the problems, one line per channel that could not be reached."""
    problems = []
    for channel in channels(home):
        try:
            channel.send(message)
        except (OSError, smtplib.SMTPException) as error:
            problems.append(f"{type(channel).__name__}: {type(error).__name__}")
    return problems


def message_of(
    batch: Batch, late: Sequence[str] = (), error: str | None = None, ending: Mapping[str, dt.date] | None = None
) -> Message | None:
    """The notification to stewards about a run; None where nothing needs their attention.

    ``late``: sources whose delivery is late; ``error``: why the run ended early; ``ending``: last days of the
    accounts whose grant ends soon.
    """
    names = {source_id: contract.label for source_id, contract in load_contracts().items()}
    states = {status: label for status, label in labels("delivery_status").items() if status in {"refused", "held"}}
    stopped = [
        f"  {names.get(one.source_id, one.source_id)} {one.file_name}：{states[one.status]}"
        for one in batch.deliveries
        if one.status in states
    ]
    rejected = [
        f"  {names.get(one.source_id, one.source_id)} {one.file_name}：{one.rows_read}件のうち{one.rows_rejected}件"
        for one in batch.deliveries
        if one.rows_rejected
    ]
    left = [f"  {names.get(one.source_id, one.source_id)} {one.file_name}" for one in batch.left]
    checks = [
        f"  {one.label_ja}（{one.table}）：{labels('check_status')[one.status]}"
        for one in batch.expectations
        if one.status != "passed" and one.severity != "note"
    ]
    parts = [
        ("実行が途中で終わりました。", [f"  {error}"] if error else []),
        ("公開を止めたもの（公開中のデータは前のままです）", [f"  {failure}" for failure in batch.gate_failures]),
        ("受け取れなかった・保留にした納品", stopped),
        ("書き込み中のため次回に回したファイル", left),
        ("不受理の記録", rejected),
        ("確認する検査", checks),
        ("納品が遅れているデータ", [f"  {names.get(source_id, source_id)}" for source_id in late]),
    ]
    parts.append(
        (
            "まもなく利用期限になる職員（情報システム管理者へ）",
            [f"  {username}　{japanese_date(day)}まで" for username, day in (ending or {}).items()],
        )
    )
    sections = [(title, lines) for title, lines in parts if lines]
    if not sections:
        return None
    what = "異常終了" if error and not batch.gate_failures else "公開を保留" if batch.gate_failures else "確認のお願い"
    body = [f"基準日 {batch.as_of_on.isoformat()}　実行 {batch.run_id}"]
    for title, lines in sections:
        body += ["", f"■ {title}", *lines]
    body += ["", "くわしくは「業務」の「データ品質の課題」をご覧ください。"]
    return Message(f"[こども統合DB] {what}（基準日 {batch.as_of_on.isoformat()}）", "\n".join(body))
