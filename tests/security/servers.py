"""A home with a scratch publication and applied metadata, servers over it, and people who are logged in."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from kodomo.access.staff import DEMO_STAFF
from kodomo.home import PROJECT, Home
from kodomo.publication import publish
from superset_config.server import environment
from tests.security.scratch import Seen, read_seen, write_warehouse

START_SECONDS = 240
_LIST = """
import json, logging, sys
from kodomo.home import Home
from superset_config.server import create_app
logging.disable(logging.CRITICAL)
app = create_app(Home.from_environment())
rules = [(rule.rule, sorted(rule.methods - {"HEAD", "OPTIONS"})) for rule in app.url_map.iter_rules()]
print(json.dumps(sorted(rules)))
"""


def build_home(root: Path) -> Home:
    """A home after `kodomo run` and `kodomo superset apply`, with the demo's staff."""
    home = Home(root).ensure()
    write_warehouse(home.warehouse)
    shutil.copy(DEMO_STAFF, home.staff)
    publish(home, "20260401T000000-scratch")
    apply(home)
    return home


def apply(home: Home, *arguments: str, **variables: str) -> str:
    """`kodomo superset apply` in a process of its own; returns what it printed."""
    result = subprocess.run(
        [str(Path(sys.executable).with_name("kodomo")), "superset", "apply", *arguments],
        env={**os.environ, "KODOMO_HOME": str(home.root), **variables},
        cwd=PROJECT,
        text=True,
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def routes_of(home: Home) -> list[tuple[str, str]]:
    """Method and rule of every address of Superset over a home, as the application registers them."""
    result = subprocess.run(
        [sys.executable, "-c", _LIST], env={**os.environ, **environment(home)}, cwd=PROJECT, text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    rules = json.loads(result.stdout.splitlines()[-1])
    return [(method, rule) for rule, methods in rules for method in methods]


def free_port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Server:
    """A running Superset."""

    home: Home
    address: str
    walls: str = "both"
    sessions: dict[str, Person] = field(default_factory=dict)

    def person(self, username: str) -> Person:
        """A logged-in account; the same session each time."""
        if username not in self.sessions:
            self.sessions[username] = self.log_in(username)
        return self.sessions[username]

    def log_in(self, username: str, password: str | None = None) -> Person:
        """A new session of an account."""
        person = Person(self, username, read_seen(self.home.staff).get(username))
        person.log_in(password or passwords(self.home)[username])
        return person

    def datasets(self) -> dict[str, int]:
        """Ids of all datasets, as an attacker might guess them."""
        with sqlite3.connect(f"file:{self.home.superset / 'superset.db'}?mode=ro", uri=True) as connection:
            return dict(connection.execute("select table_name, id from tables where is_managed_externally = 1"))

    def ids(self, table: str) -> list[int]:
        """Ids of charts (slices) or dashboards."""
        with sqlite3.connect(f"file:{self.home.superset / 'superset.db'}?mode=ro", uri=True) as connection:
            return [row[0] for row in connection.execute(f"select id from {table} order by id")]


class Person:
    """The browser of an account."""

    def __init__(self, server: Server, username: str, seen: Seen | None) -> None:
        self.server, self.username, self.seen = server, username, seen
        self.http = requests.Session()
        # As a browser does on a form; with TLS the check against forged requests asks for it.
        self.http.headers["Referer"] = f"{server.address}/login/"
        self.token = ""

    def log_in(self, password: str) -> requests.Response:
        """Fill in the form of the log-in page."""
        page = self.get("/login/").text
        token = re.search(r"csrf_token(?:&#34;|&quot;|\"): ?(?:&#34;|&quot;|\")([^\"&]+)", page)
        token = token or re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        form = {"username": self.username, "password": password, "csrf_token": token.group(1) if token else ""}
        answer = self.http.post(f"{self.server.address}/login/", data=form, allow_redirects=False, timeout=60)
        content = self.get("/api/v1/security/csrf_token/")
        if content.ok:
            self.token = content.json()["result"]
        return answer

    def get(self, path: str, **arguments: object) -> requests.Response:
        """Ask for a page or an answer of the API."""
        return self.http.get(f"{self.server.address}{path}", timeout=60, allow_redirects=False, **arguments)

    def send(self, method: str, path: str, **arguments: object) -> requests.Response:
        """A request that changes something, with the token of this session."""
        headers = {"X-CSRFToken": self.token, "Referer": self.server.address, **arguments.pop("headers", {})}
        return self.http.request(
            method, f"{self.server.address}{path}", headers=headers, timeout=60, allow_redirects=False, **arguments
        )

    def ask(self, dataset: int, force: bool = False, **query: object) -> requests.Response:
        """Chart data of one query."""
        body = {
            "datasource": {"id": dataset, "type": "table"},
            "force": force,
            "queries": [{"columns": [], "metrics": [], "row_limit": 10_000, **query}],
            "result_format": "json",
            "result_type": "full",
        }
        return self.send("POST", "/api/v1/chart/data", json=body)

    def rows(self, table: str, **query: object) -> list[dict]:
        """Rows of one of the person's datasets."""
        answer = self.ask(self.server.datasets()[table], **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"][0]["data"]


def passwords(home: Home) -> dict[str, str]:
    """Initial passwords of the demo's accounts."""
    with home.demo_accounts.open(encoding="utf-8", newline="") as file:
        return {row["username"]: row["password"] for row in csv.DictReader(file)}


@contextmanager
def serve(home: Home, config: Path | None = None, **variables: str) -> Iterator[Server]:
    """Superset over a home, on a free port. ``config``: other settings than the project's."""
    port = free_port()
    settings = {**os.environ, **environment(home), "KODOMO_LOGIN_LIMIT": "100 per minute", **variables}
    if config is not None:
        settings["SUPERSET_CONFIG_PATH"] = str(config)
    log = home.root / f"server-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gunicorn",
                "--config",
                "python:superset_config.workers",
                "--bind",
                f"127.0.0.1:{port}",
                "superset.app:create_app()",
            ],
            env=settings,
            cwd=PROJECT,
            stdout=output,
            stderr=output,
        )
        server = Server(home, f"http://127.0.0.1:{port}")
        try:
            deadline = time.monotonic() + START_SECONDS
            while True:
                try:
                    if requests.get(f"{server.address}/ping", timeout=5).ok:
                        break
                except requests.RequestException:
                    pass
                assert process.poll() is None, log.read_text(errors="replace")[-3000:]
                assert time.monotonic() < deadline, "Superset did not start"
                time.sleep(0.3)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=30)
