"""Users work beside machines that attack: no error for them, and none of them is logged out."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from urllib.parse import urlsplit

import pytest
import requests

from tests.security.servers import Person, Server
from tests.security.test_attacks import own_table

SECONDS = float(os.environ.get("KODOMO_ATTACK_SECONDS", "30"))
USERS = 20
ACCOUNTS = (
    "child_all", "child_ryotsu", "child_mano", "health_all", "education_all", "welfare_all", "guidance_all", "partner",
)  # fmt: skip
BEGINNINGS = (
    b"",
    b"GET /login/ HT",
    b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n",
    b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\nusername=",
    b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\nusername=" + b"x" * 70_000,
)


def halves(address: tuple[str, int], over: threading.Event) -> None:
    """Hold half requests open, and drip a byte into each."""
    held: list[socket.socket] = []
    while not over.is_set():
        while len(held) < 60:
            client = socket.create_connection(address, timeout=5)
            client.sendall(BEGINNINGS[len(held) % len(BEGINNINGS)])
            held.append(client)
        time.sleep(0.5)
        for client in list(held):
            try:
                client.sendall(b"x")
            except OSError:
                held.remove(client)
    for client in held:
        client.close()


def endless_lines(address: tuple[str, int], over: threading.Event) -> None:
    """Send a line that does not end."""
    while not over.is_set():
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=5) as client:
            client.sendall(b"GET /")
            for _ in range(200):
                client.sendall(b"a" * 4096)
                time.sleep(0.01)


def visitors(address: tuple[str, int], over: threading.Event) -> None:
    """Ask for the log-in page without a cookie, again and again."""
    while not over.is_set():
        with contextlib.suppress(requests.RequestException):
            requests.get(f"http://{address[0]}:{address[1]}/login/", timeout=30)
        time.sleep(0.1)


@contextlib.contextmanager
def attack(server: Server, *attacks: Callable[[tuple[str, int], threading.Event], None]) -> Iterator[None]:
    """Run each attack in a thread."""
    parts = urlsplit(server.address)
    over = threading.Event()
    threads = [threading.Thread(target=one, args=((parts.hostname, parts.port), over)) for one in attacks]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def users(server: Server) -> list[Person]:
    """As many users as a city hall has at work at once, each in a session of its own."""
    return [server.log_in(name) for name in islice(cycle(ACCOUNTS), USERS)]


def work(person: Person, until: float) -> list[int]:
    """What a user gets until a moment: the statuses of the start page, of the menu, and of a chart's data."""
    statuses = []
    table = person.server.datasets()[own_table(person.username)]
    while time.monotonic() < until:
        statuses.append(person.get("/kodomo/").status_code)
        statuses.append(person.get("/api/v1/dashboard/?q=(page_size:100)").status_code)
        statuses.append(person.ask(table, row_limit=50, columns=["area_code"]).status_code)
        time.sleep(0.5)
    return statuses


def test_users_work_beside_attackers(server: Server) -> None:
    people = users(server)
    kept = len(list(server.home.sessions.iterdir()))
    with attack(server, halves, endless_lines, visitors), ThreadPoolExecutor(len(people)) as pool:
        until = time.monotonic() + SECONDS
        statuses = [status for answers in pool.map(lambda one: work(one, until), people) for status in answers]
    assert set(statuses) == {200}
    assert len(statuses) >= 2 * len(people)
    # Nothing is kept of a visitor.
    assert len(list(server.home.sessions.iterdir())) <= kept


def test_pivot_cannot_take_the_memory_of_the_server(server: Server) -> None:
    person = server.person("child_all")
    pivot = {
        "operation": "pivot",
        "options": {
            "index": ["person_id"],
            "columns": ["display_name"],
            "aggregates": {"count": {"operator": "mean"}},
        },
    }
    metric = {
        "expressionType": "SIMPLE",
        "column": {"column_name": "person_id"},
        "aggregate": "COUNT",
        "label": "count",
    }
    answer = person.ask(
        server.datasets()["bi_child"],
        columns=["person_id", "display_name"],
        metrics=[metric],
        post_processing=[pivot, {"operation": "flatten"}],
    )
    assert answer.status_code == 200
    assert len(answer.json()["result"][0]["data"]) <= 1000
    refused = person.ask(server.datasets()["bi_child"], columns=["person_id"], post_processing=[pivot, pivot])
    assert refused.status_code in {400, 403}


@pytest.mark.parametrize("text", ["Last 99999999999999 years", "100000-01-01 : now"])
def test_ranges_without_end_are_refused(server: Server, text: str) -> None:
    person = server.person("child_all")
    answer = person.ask(server.datasets()["bi_child"], columns=["person_id"], time_range=text)
    assert answer.status_code == 400
    assert person.get(f"/api/v1/time_range/?q=(timeRange:'{text}')").status_code == 400
