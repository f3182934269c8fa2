"""Grants that are over, or have not begun: no log-in, no session, no answer."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kodomo.clock import today
from tests.security.servers import Person, Server, passwords
from tests.security.test_sessions import is_in

pytestmark = pytest.mark.slow
ACCOUNT = "child_kanai"
PAGE = {"Accept": "text/html"}


@contextmanager
def term(server: Server, from_on: dt.date | None, until_on: dt.date | None) -> Iterator[None]:
    """The account's term as it is applied, for as long as the block runs."""

    def write(values: tuple[object, object]) -> None:
        with sqlite3.connect(server.home.superset_metadata, timeout=30) as metadata:
            metadata.execute(
                "insert into kodomo_grant values (?, 'test', ?, ?) on conflict (username) do update "
                "set from_on = excluded.from_on, until_on = excluded.until_on",
                [ACCOUNT, *values],
            )

    write((from_on and from_on.isoformat(), until_on and until_on.isoformat()))
    try:
        yield
    finally:
        write((None, None))


def test_a_session_ends_with_the_grant_on_every_address(server: Server) -> None:
    paths = (
        "/kodomo/children/",
        "/api/v1/dashboard/",
        "/superset/welcome/",
        "/api/v1/me/",
        "/superset/dashboard/list/",
    )
    people = {path: server.log_in(ACCOUNT) for path in paths}
    with term(server, None, today() - dt.timedelta(days=1)):
        for path, person in people.items():
            answer = person.get(path)
            assert answer.status_code == 403, path
            assert "利用期限" in (answer.json()["message"] if path.startswith("/api/") else answer.text)
    # What ended stays ended.
    assert not any(is_in(person) for person in people.values())


@pytest.mark.parametrize("days", [(None, -1), (1, None)])
def test_log_in_outside_the_term_is_refused_in_japanese(server: Server, days: tuple[int | None, int | None]) -> None:
    from_on, until_on = (None if day is None else today() + dt.timedelta(days=day) for day in days)
    with term(server, from_on, until_on):
        person = Person(server, ACCOUNT, None)
        person.http.headers.update(PAGE)
        answer = person.log_in(passwords(server.home)[ACCOUNT])
        assert answer.status_code == 403
        assert "利用期限" in answer.text or "使えるのは" in answer.text
        assert not is_in(person)
        # A wrong password does not tell that there is such an account.
        other = Person(server, ACCOUNT, None)
        other.http.headers.update(PAGE)
        assert "期限" not in other.log_in("wrong-Password-1").text


def test_on_its_last_day_a_grant_holds_and_its_person_is_warned(server: Server) -> None:
    with term(server, today(), today()):
        person = server.log_in(ACCOUNT)
        assert is_in(person)
        assert "今日まで" in person.get("/kodomo/").text
    assert "今日まで" not in person.get("/kodomo/").text
