"""Clients that are slow on purpose take no thread: others are served beside them."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from kodomo.home import PROJECT
from superset_config import workers
from superset_config.arrivals import MOST_BODIES, MOST_SIZE, size_of

THREADS = 2
APP = """
import os
def application(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {len(body)}".encode()]
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server of one process with the project's worker and a small app."""
    folder = tmp_path_factory.mktemp("arrivals")
    (folder / "small_app.py").write_text(APP, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--config", "python:superset_config.workers", "--workers", "1"]
    command += ["--threads", str(THREADS), "--worker-connections", str(THREADS)]
    command += ["--bind", f"127.0.0.1:{number}", "small_app:application"]
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{PROJECT}"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                ask(number)
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield number
    finally:
        process.terminate()
        process.wait(timeout=30)


def ask(port: int, body: bytes = b"") -> str:
    """The answer to a whole request: the server's process and the length of the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", "/", body)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def begin(port: int, text: bytes) -> socket.socket:
    """A connection that has sent the beginning of a request."""
    client = socket.create_connection(("127.0.0.1", port), timeout=5)
    client.sendall(text)
    return client


HALVES = {
    "nothing": b"",
    "half a line": b"GET / HT",
    "half a head": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n",
    "no body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
    "half a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc",
    "half a large body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + b"a" * 100_000,
    "half a body in chunks": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
}


@pytest.mark.parametrize("half", HALVES)
def test_half_requests_stop_nobody(port: int, half: str) -> None:
    attackers = [begin(port, HALVES[half]) for _ in range(10 * THREADS)]
    try:
        began = time.monotonic()
        for _ in range(20):
            assert ask(port, b"x" * 10).split()[1] == "10"
        assert time.monotonic() - began < 5
    finally:
        for attacker in attackers:
            attacker.close()


def test_clients_that_do_not_close_stop_nobody(port: int) -> None:
    clients = [begin(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(10 * THREADS)]
    assert ask(port, b"x").split()[1] == "1"
    answers = [all_of(client) for client in clients]
    assert all(b" 0\r\n" in answer for answer in answers), "each answer ends, though its client did not close first"


def test_endless_line_is_closed(port: int) -> None:
    def send_on(attacker: socket.socket) -> None:
        for _ in range(1000):
            attacker.sendall(b"a" * 8192)
            time.sleep(0.002)

    with begin(port, b"GET /?") as attacker, pytest.raises(ConnectionError):
        send_on(attacker)
    assert ask(port)


def test_request_in_pieces_is_served(port: int) -> None:
    with begin(port, b"POST / HTTP/1.1\r\nHo") as client:
        for piece in (b"st: x\r\nContent-Le", b"ngth: 6\r\n\r\nab", b"cd", b"ef"):
            time.sleep(0.05)
            client.sendall(piece)
        answer = all_of(client)
        assert b" 6" in answer.split(b"\r\n\r\n", 1)[1]


def test_large_body_is_served(port: int) -> None:
    assert ask(port, b"x" * 3_000_000).split()[1] == "3000000"


def test_large_bodies_in_pieces_are_served(port: int) -> None:
    bodies = [bytes([letter]) * 300_000 for letter in b"abc"]
    clients = [begin(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n") for _ in bodies]
    for place in range(0, 300_000, 50_000):
        for client, body in zip(clients, bodies, strict=True):
            client.sendall(body[place : place + 50_000])
        assert ask(port, b"x").split()[1] == "1"
    for client in clients:
        assert b" 300000\r\n" in all_of(client)


def test_client_that_waits_for_its_turn_sends_a_large_body(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n"
    with begin(port, head) as client:
        assert client.recv(4096).startswith(b"HTTP/1.1 100")
        client.sendall(b"x" * 100_000)
        assert b" 100000\r\n" in all_of(client)


def test_body_without_a_length_is_refused(port: int) -> None:
    with begin(
        port, b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    ) as client:
        assert client.recv(4096).startswith(b"HTTP/1.1 411")


def test_larger_bodies_than_are_taken_are_not_waited_for(port: int) -> None:
    with begin(port, f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {MOST_SIZE}\r\n\r\nabc".encode()) as client:
        assert b" 0\r\n" in all_of(client)


def test_of_too_many_large_bodies_the_oldest_is_given_up(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    clients = [begin(port, head) for _ in range(MOST_BODIES)]
    time.sleep(0.5)
    clients.append(begin(port, head))
    assert clients[0].recv(10) == b""
    for client in clients[1:]:
        client.sendall(b"x" * 100_000)
        assert b" 100000\r\n" in all_of(client)


def all_of(client: socket.socket) -> bytes:
    """What a server sends until it closes."""
    answer = b""
    while received := client.recv(4096):
        answer += received
    client.close()
    return answer


def test_client_that_goes_away_leaves_nothing(port: int) -> None:
    for _ in range(50):
        begin(port, b"GET / HT").close()
    assert ask(port)


@pytest.mark.parametrize(
    ("seen", "size"),
    [
        (b"", None),
        (b"GET / HTTP/1.1\r\n", None),
        (b"GET / HTTP/1.1\r\n\r\n", 18),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab", 43),
        (b"POST / HTTP/1.1\r\ncontent-length:5\r\n\r\nabcde", 42),
        (b"POST / HTTP/1.1\r\nX: Content-Length: 9\r\n\r\n", 41),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", -1),
    ],
)
def test_size_of_a_request(seen: bytes, size: int | None) -> None:
    assert size_of(seen) == size


def test_grown_process_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    class Worker:
        alive = True

        class log:  # noqa: N801  # gunicorn's name
            info = staticmethod(lambda _text: None)

    assert 0 < workers.megabytes() < 100_000
    workers.post_request(worker := Worker(), None, None, None)
    assert worker.alive
    monkeypatch.setattr(workers, "MOST_MEGABYTES", 1)
    workers.post_request(worker, None, None, None)
    assert not worker.alive
