"""Digests of notices: counts and a link, one a day, kept while no server takes them, each notice counted once."""

from __future__ import annotations

import datetime as dt
import smtplib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kodomo.entries import outbox
from kodomo.entries.notices import Event, choose, keep, kinds, mark_now, note_read, shown_to
from kodomo.entries.store import EntryStore
from kodomo.errors import KodomoError
from kodomo.home import Home
from orchestration.operations import digest, notification
from orchestration.operations.digest import send_digests
from superset_config.pages import reach

TODAY = dt.date(2026, 4, 1)
DAY = dt.timedelta(days=1)
ACCOUNTS = "username,display_name,department,areas,duties,is_dv_authorised\n" + "".join(
    f"{name},{name},child,{areas},case_worker,0\n" for name, areas in (("aoi", "ryotsu"), ("ibu", "mano"))
)
SETTINGS = """
address: https://kodomo.example.jp/
channels:
  - {kind: smtp, host: mail.example.jp, sender: k@example.jp, recipients: [steward@example.jp]}
  - {kind: smtp, host: mail.example.jp, sender: k@example.jp, recipients: [aoi@example.jp], staff: aoi}
  - {kind: smtp, host: mail.example.jp, sender: k@example.jp, recipients: [ibu@example.jp], staff: ibu}
"""


class MailServer:
    """Takes mails while it is up."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.is_up = True

    def __call__(self, *_arguments: Any, **_named: Any) -> MailServer:
        if not self.is_up:
            raise ConnectionRefusedError
        return self

    def __enter__(self) -> MailServer:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def send_message(self, mail: Any) -> None:
        self.mails.append(mail)

    @property
    def to(self) -> list[str]:
        return [mail["To"] for mail in self.mails]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "var").ensure()
    home.staff.write_text(ACCOUNTS, encoding="utf-8")
    home.notifications.write_text(SETTINGS, encoding="utf-8")
    return home


@pytest.fixture
def store(home: Home) -> EntryStore:
    return EntryStore(home)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> MailServer:
    server = MailServer()
    monkeypatch.setattr(smtplib, "SMTP", server)
    return server


@pytest.fixture(autouse=True)
def _people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two children, each in the reach of the account of its area; every kind is offered."""
    by_area = {"ryotsu": {"p1": {"person_id": "p1", "child_label": "相川　花子"}}, "mano": {"p2": {"person_id": "p2"}}}
    monkeypatch.setattr(reach.Reach, "children", lambda self: by_area[self.scope.areas[0]])
    monkeypatch.setattr(digest, "bring_up_to_date", lambda *_: True)


def arrive(store: EntryStore, *person_ids: str, kind: str = "not_seen", key: str = "1", today: dt.date = TODAY) -> None:
    """Notices of a kind about people, beside those there are."""
    given = [Event(kind, person_id, key, today) for person_id in person_ids]
    keep(store, given, today, mark_now(store, "p", today), set())


def test_mail_has_counts_and_a_link_and_no_name(home: Home, store: EntryStore, server: MailServer) -> None:
    arrive(store, "p1", "p2")
    arrive(store, "p1", kind="arrival")
    assert send_digests(home, store, TODAY) == []
    assert server.to == ["aoi@example.jp", "ibu@example.jp"]
    aoi, ibu = server.mails
    text = aoi.get_content()
    assert aoi["Subject"] == "[こども統合DB] お知らせ 2件（2026年4月1日）"
    assert "最終確認の期限を過ぎた　1件\n  転入した　1件" in text
    assert "全部で2件" in text
    assert "https://kodomo.example.jp/kodomo/notices/" in text
    assert "お知らせ 1件" in ibu["Subject"]
    for mail in server.mails:
        assert not {"花子", "相川", "p1", "p2"} & set(str(mail).split())
        assert "花子" not in mail.get_content()


def test_nothing_comes_twice_and_a_day_without_news_has_no_mail(
    home: Home, store: EntryStore, server: MailServer
) -> None:
    arrive(store, "p1")
    for _ in range(3):
        assert send_digests(home, store, TODAY) == []
    assert len(server.mails) == 1
    assert send_digests(home, store, TODAY + DAY) == []
    assert len(server.mails) == 1
    arrive(store, "p1", key="2", today=TODAY + DAY)
    send_digests(home, store, TODAY + 2 * DAY)
    assert "お知らせ 1件" in server.mails[-1]["Subject"], "the new one only"
    assert "全部で2件" in server.mails[-1].get_content()


def test_nothing_is_lost_while_the_mail_server_is_down(home: Home, store: EntryStore, server: MailServer) -> None:
    arrive(store, "p1", "p2")
    server.is_up = False
    assert send_digests(home, store, TODAY) == [
        "aoi: Mail: ConnectionRefusedError", "ibu: Mail: ConnectionRefusedError",
    ]  # fmt: skip
    arrive(store, "p1", key="2", today=TODAY + DAY)
    assert len(send_digests(home, store, TODAY + DAY)) == 3
    assert len(outbox.waiting(store)) == 3
    server.is_up = True
    assert send_digests(home, store, TODAY + DAY) == []
    assert sorted(server.to) == ["aoi@example.jp", "aoi@example.jp", "ibu@example.jp"]
    assert len({mail["Message-ID"] for mail in server.mails}) == 3
    assert not outbox.waiting(store)
    send_digests(home, store, TODAY + DAY)
    assert len(server.mails) == 3


def test_mail_that_a_process_took_and_did_not_send_is_sent_later_under_the_same_id(
    home: Home, store: EntryStore, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(store, "p1")

    def killed(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(digest, "note_sent", killed)
        with pytest.raises(KeyboardInterrupt):
            send_digests(home, store, TODAY)
    assert send_digests(home, store, TODAY) == []
    assert len(server.mails) == 1, "another process may still be sending it"
    monkeypatch.setattr(outbox, "CLAIM", dt.timedelta(seconds=-1))
    send_digests(home, store, TODAY)
    first, second = server.mails
    assert first["Message-ID"] == second["Message-ID"]


def test_kinds_that_a_person_does_not_want_and_what_was_read_are_not_counted(
    home: Home, store: EntryStore, server: MailServer
) -> None:
    arrive(store, "p1")
    arrive(store, "p1", kind="arrival")
    arrive(store, "p1", kind="back")
    choose(store, "aoi", ["back", "not_seen"], list(kinds()))
    people = reach.Reach(home, reach.Scope.of(["child"], ["ryotsu"], ["case_worker"]))
    read = next(one for one in shown_to(people, store, "aoi", TODAY) if one.kind == "back")
    note_read(store, "aoi", [read.notice_id])
    send_digests(home, store, TODAY)
    assert "お知らせ 1件" in server.mails[0]["Subject"]


def test_account_off_the_staff_list_gets_no_mail(home: Home, store: EntryStore, server: MailServer) -> None:
    arrive(store, "p1", "p2")
    home.staff.write_text(ACCOUNTS.replace("aoi", "ume"), encoding="utf-8")
    send_digests(home, store, TODAY)
    assert server.to == ["ibu@example.jp"]


def test_waiting_mail_goes_to_the_present_recipients(home: Home, store: EntryStore, server: MailServer) -> None:
    arrive(store, "p1")
    server.is_up = False
    send_digests(home, store, TODAY)
    server.is_up = True
    home.notifications.write_text(SETTINGS.replace("aoi@example.jp", "new@example.jp"), encoding="utf-8")
    send_digests(home, store, TODAY)
    assert server.to == ["new@example.jp"]


def test_two_channels_of_an_account_get_one_mail_each(home: Home, store: EntryStore, server: MailServer) -> None:
    drop = home.root / "drop"
    home.notifications.write_text(SETTINGS + f"  - {{kind: file, folder: {drop}, staff: aoi}}\n", encoding="utf-8")
    arrive(store, "p1")
    for _ in range(2):
        send_digests(home, store, TODAY)
    assert server.to == ["aoi@example.jp"]
    [file] = drop.iterdir()
    assert file.read_text(encoding="utf-8").startswith("[こども統合DB] お知らせ 1件")


def test_messages_to_stewards_do_not_go_to_the_channels_of_accounts(home: Home, server: MailServer) -> None:
    assert notification.send(home, notification.Message("s", "b")) == []
    assert server.to == ["steward@example.jp"]


def test_channel_of_an_account_needs_the_address_of_the_pages(home: Home) -> None:
    home.notifications.write_text(SETTINGS.replace("address: https://kodomo.example.jp/", ""), encoding="utf-8")
    with pytest.raises(KodomoError, match="channel 2: with staff, the file says in address"):
        notification.read_settings(home)


def test_hourly_job_sends_digests_and_ends_well_while_the_server_is_down(
    home: Home, store: EntryStore, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kodomo import clock
    from orchestration import jobs

    monkeypatch.setenv("KODOMO_HOME", str(home.root))
    monkeypatch.setattr(clock, "today", lambda: TODAY)
    arrive(store, "p1")
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    server.is_up = False
    assert jobs.notices.execute_in_process(run_config=quiet).success
    assert [mail.username for mail in outbox.waiting(store)] == ["aoi"]
    server.is_up = True
    assert jobs.notices.execute_in_process(run_config=quiet).success
    assert server.to == ["aoi@example.jp"]


def test_notices_are_judged_after_a_publication_and_a_fault_of_it_does_not_fail_the_run(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kodomo.determination import notices as work
    from orchestration import jobs

    judged: list[Home] = []
    warned: list[str] = []
    context = SimpleNamespace(log=SimpleNamespace(warning=warned.append))
    monkeypatch.setattr(jobs, "_batch_of", lambda _: SimpleNamespace(home=home))
    monkeypatch.setattr(work, "bring_up_to_date", lambda one, *_: judged.append(one))
    jobs._judge_notices(context)
    assert judged == [home]

    def fail(*_arguments: Any) -> None:
        raise KodomoError("What is in service cannot be read.")

    monkeypatch.setattr(work, "bring_up_to_date", fail)
    jobs._judge_notices(context)
    assert warned == ["Notices were not judged: KodomoError"]
