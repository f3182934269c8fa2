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
from superset_config.arrivals import MOST_BYTES, missing_bytes

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
        answer = b""
        while received := client.recv(4096):
            answer += received
        assert b" 6" in answer.split(b"\r\n\r\n", 1)[1]


def test_large_body_is_served(port: int) -> None:
    assert ask(port, b"x" * 3_000_000).split()[1] == "3000000"


def test_client_that_goes_away_leaves_nothing(port: int) -> None:
    for _ in range(50):
        begin(port, b"GET / HT").close()
    assert ask(port)


@pytest.mark.parametrize(
    ("seen", "missing"),
    [
        (b"", 1),
        (b"GET / HTTP/1.1\r\n", 1),
        (b"GET / HTTP/1.1\r\n\r\n", 0),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab", 3),
        (b"POST / HTTP/1.1\r\ncontent-length:5\r\n\r\nabcde", 0),
        (b"POST / HTTP/1.1\r\nX: Content-Length: 9\r\n\r\n", 0),
        (b"a" * MOST_BYTES, -1),
    ],
)
def test_missing_bytes(seen: bytes, missing: int) -> None:
    assert missing_bytes(seen) == missing


def test_body_beyond_what_a_socket_holds_is_not_waited_for() -> None:
    head = b"POST / HTTP/1.1\r\nContent-Length: 4000000\r\n\r\n"
    assert missing_bytes(head) == MOST_BYTES - len(head)
    assert missing_bytes(head + b"x" * (MOST_BYTES - len(head))) == 0


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
