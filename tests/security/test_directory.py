"""Log-in by the city's own directory (OpenID Connect), as local_settings.py of the home configures it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from kodomo.home import Home
from tests.security.servers import Person, Server, passwords, serve

pytestmark = pytest.mark.slow

UNAUTHORISED, METHOD_NOT_ALLOWED = 401, 405

SETTINGS = """
from flask_appbuilder.const import AUTH_OAUTH

AUTH_TYPE = AUTH_OAUTH
# Not taken: who may come in, and as what, says the staff list.
AUTH_USER_REGISTRATION = True
AUTH_USER_REGISTRATION_ROLE = "admin"
OAUTH_PROVIDERS = [
    {{
        "name": "keycloak",
        "icon": "fa-key",
        "token_key": "access_token",
        "remote_app": {{
            "client_id": "kodomo",
            "client_secret": "secret",
            "api_base_url": "{address}/",
            "authorize_url": "{address}/auth",
            "access_token_url": "{address}/token",
            "client_kwargs": {{"scope": "email profile"}},
        }},
    }}
]
"""


class Directory(ThreadingHTTPServer):
    """A provider that says of everybody who is sent to it that they are ``username``."""

    username = ""

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    server: Directory

    def do_GET(self) -> None:
        """The page on which people log in, which sends them back at once; and who they are."""
        asked = urlsplit(self.path)
        if asked.path != "/auth":
            self._tell({"preferred_username": self.server.username, "email": "who@sado.example"})
            return
        given = parse_qs(asked.query)
        self.send_response(302)
        back = urlencode({"code": "code", "state": given["state"][0]})
        self.send_header("Location", f"{given['redirect_uri'][0]}?{back}")
        self.end_headers()

    def do_POST(self) -> None:
        """A token for the code."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._tell({"access_token": "token", "token_type": "Bearer", "expires_in": 3600})

    def log_message(self, *_: object) -> None:
        """Nothing is written."""

    def _tell(self, content: dict[str, object]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def directory() -> Iterator[Directory]:
    with Directory(("127.0.0.1", 0), _Answers) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture(scope="module")
def city_server(scratch_home: Home, directory: Directory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = Home(shutil.copytree(scratch_home.root, tmp_path_factory.mktemp("directory") / "var", symlinks=True))
    settings = home.superset / "local_settings.py"
    settings.write_text(SETTINGS.format(address=directory.address), encoding="utf-8")
    with serve(home) as running:
        yield running


def come_in(server: Server, directory: Directory, username: str) -> Person:
    """Go to the directory as an account, and come back."""
    directory.username = username
    person = Person(server, username, None)
    sent = person.get("/login/keycloak")
    back = person.http.get(sent.headers["Location"], allow_redirects=False, timeout=60)
    assert back.headers["Location"].startswith(server.address)
    person.http.get(back.headers["Location"], allow_redirects=False, timeout=60)
    return person


def accounts(server: Server) -> set[str]:
    with sqlite3.connect(f"file:{server.home.superset / 'superset.db'}?mode=ro", uri=True) as connection:
        return {row[0] for row in connection.execute("select username from ab_user")}


def test_listed_staff_log_in_with_the_roles_of_the_list(city_server: Server, directory: Directory) -> None:
    person = come_in(city_server, directory, "child_ryotsu")
    assert person.get("/api/v1/me/").json()["result"]["username"] == "child_ryotsu"
    roles = person.get("/api/v1/me/roles/").json()["result"]["roles"]
    assert set(roles) >= {"area_ryotsu", "dept_child", "duty_case_worker"}
    assert "admin" not in {name.lower() for name in roles}


def test_unlisted_account_cannot_log_in(city_server: Server, directory: Directory) -> None:
    before = accounts(city_server)
    person = come_in(city_server, directory, "somebody_else")
    assert person.get("/api/v1/me/").status_code == UNAUTHORISED
    assert accounts(city_server) == before


def test_a_password_of_before_opens_nothing(city_server: Server) -> None:
    person = Person(city_server, "child_ryotsu", None)
    assert person.log_in(passwords(city_server.home)["child_ryotsu"]).status_code == METHOD_NOT_ALLOWED
    assert person.get("/api/v1/me/").status_code == UNAUTHORISED
