"""Dagster takes changes from an operator's page alone: not by GET, from elsewhere, or from others on the machine."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from kodomo.errors import KodomoError
from kodomo.home import Home
from orchestration.operations import serving
from orchestration.operations.dagster_web import OPERATOR, VIEWER, Guard, known_hosts, secrets_of

SECRETS = {VIEWER: "v" * 40, OPERATOR: "o" * 40}
QUESTION = b'{"query": "mutation { launchRun }"}'


@dataclass(frozen=True)
class Answer:
    """Status, headers and text of an answer; of a socket that was refused, 403."""

    status_code: int
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        """The text read."""
        return json.loads(self.text)


class Client:
    """Sends requests to an ASGI app as a server does, by the name localhost:3000."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        """The answer to a request."""
        return self._send("http", method, path, headers or {}, [{"type": "http.request", "body": body}])

    def get(self, path: str, headers: dict[str, str]) -> Answer:
        """The answer to a GET."""
        return self.request("GET", path, headers)

    def post(self, path: str, headers: dict[str, str], kind: str = "application/json") -> Answer:
        """The answer to a POST of a question."""
        return self.request("POST", path, {"content-type": kind, **headers}, QUESTION)

    def connect(self, headers: dict[str, str]) -> Answer:
        """What a socket says first."""
        return self._send("websocket", "GET", "/graphql", headers, [{"type": "websocket.connect"}])

    def _send(self, kind: str, method: str, path: str, headers: dict[str, str], messages: list[dict]) -> Answer:
        named = {"host": "localhost:3000", **headers}
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return messages.pop(0)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        address, _, query = path.partition("?")
        scope = {
            "type": kind,
            "method": method,
            "path": address,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }
        asyncio.run(self.guard(scope, receive, send))
        start = sent[0]
        if kind == "websocket":
            return Answer(101 if start["type"] == "websocket.accept" else 403, {}, sent[-1].get("text", ""))
        answered = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], answered, sent[-1]["body"].decode())


def app(name: str) -> Any:
    """An app that answers every request with its name."""

    async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": name})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps({"app": name}).encode()})

    return answer


@pytest.fixture(scope="module")
def client() -> Client:
    """Requests to localhost:3000."""
    return Client(Guard(app("look"), app("change"), SECRETS, known_hosts()))


def basic(name: str, secret: str | None = None) -> dict[str, str]:
    """The header of a name and its secret."""
    text = f"{name}:{SECRETS.get(name, '') if secret is None else secret}"
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_operator_changes_and_viewer_looks(client: Client) -> None:
    assert client.post("/graphql", headers=basic(OPERATOR)).json() == {"app": "change"}
    assert client.post("/graphql", headers=basic(VIEWER)).json() == {"app": "look"}
    assert client.get("/runs", headers=basic(VIEWER)).json() == {"app": "look"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic(OPERATOR, "x" * 40),
        basic(OPERATOR, ""),
        basic("root", ""),
        basic(VIEWER, SECRETS[OPERATOR]),
        {"authorization": "Basic ***"},
        {"authorization": f"Bearer {SECRETS[OPERATOR]}"},
    ],
)
def test_no_request_without_a_secret(client: Client, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/"), ("POST", "/graphql"), ("GET", "/logs/x"), ("POST", "/report_asset_check/x")):
        answer = client.request(method, path, headers=headers)
        assert answer.status_code == 401, (method, path)
        assert answer.headers["www-authenticate"].startswith("Basic")


def test_no_change_by_get(client: Client) -> None:
    for path in ("/graphql", "/graphql/", "//graphql"):
        answer = client.get(f"{path}?query=mutation", headers=basic(OPERATOR))
        assert answer.status_code == 405, path
    assert client.request("PUT", "/graphql", basic(OPERATOR)).status_code == 405


def test_no_change_from_a_page_of_another_origin(client: Client) -> None:
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:8088"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        answer = client.post("/graphql", headers={**basic(OPERATOR), **headers})
        assert answer.status_code == 403, headers
    own = {**basic(OPERATOR), "origin": "http://localhost:3000", "sec-fetch-site": "same-origin"}
    assert client.post("/graphql", headers=own).status_code == 200


def test_no_change_by_a_form(client: Client) -> None:
    """What a page may send elsewhere without asking first."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = client.post("/graphql", basic(OPERATOR), kind)
        assert answer.status_code == 403, kind


def test_no_answer_under_another_host(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for host in ("evil.example", "localhost.evil.example", "", "127.0.0.1.nip.io:3000"):
        assert client.get("/", headers={**basic(OPERATOR), "host": host}).status_code == 400, host
        assert client.get("/health", headers={"host": host}).status_code in {400, 401}, host
    monkeypatch.setenv("KODOMO_DAGSTER_HOST", "dagster.city.example")
    assert "dagster.city.example" in known_hosts()


def test_viewer_reports_nothing(client: Client) -> None:
    for path in ("/report_asset_materialization/a", "/report_asset_check/a", "/report_asset_observation/a"):
        assert client.post(path, headers=basic(VIEWER)).status_code == 403
        assert client.post(path + "?data_version=1", headers=basic(OPERATOR)).status_code == 403


def test_socket_asks_for_secret_and_origin(client: Client) -> None:
    for headers in ({}, {**basic(OPERATOR), "origin": "http://evil.example"}, {**basic(OPERATOR), "host": "evil"}):
        assert client.connect(headers).status_code == 403
    assert client.connect(basic(VIEWER)).text == "look"


def test_secrets_are_files_of_their_owner(tmp_path: Path) -> None:
    home = Home(tmp_path / "var").ensure()
    secrets = secrets_of(home)
    assert secrets[VIEWER] != secrets[OPERATOR]
    assert secrets == secrets_of(home)
    for file in (home.dagster_viewer_key, home.dagster_operator_key):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_only_the_pages_listen_on_a_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving.tempfile, "gettempdir", lambda: str(tmp_path))
    services = serving.services(Home(tmp_path / "var").ensure(), "127.0.0.1", 8088, 3000, tmp_path, 2)
    assert [service.name for service in services if service.has_page] == ["Superset", "Dagster"]
    assert not any("dev" in service.command for service in services)
    folder = serving.socket_folder(Home(tmp_path / "var"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    # The port is for looking and changing; the folder of the extracts is known to the code alone.
    by_name = {service.name: service for service in services}
    assert "KODOMO_LANDING" not in by_name["Dagster"].environment
    assert by_name["Dagster-code"].environment["KODOMO_LANDING"] == str(tmp_path)
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(KodomoError, match="belongs to another user"):
        serving.socket_folder(Home(tmp_path / "var"))


@pytest.mark.parametrize(
    "config",
    [
        {"landing": "/etc"},
        {"as_of_on": "2030-01-01"},
        {"strict": False},
    ],
)
def test_request_for_a_run_chooses_neither_folder_nor_date(config: dict[str, Any]) -> None:
    from orchestration.definitions import defs

    job = defs.resolve_job_def("batch")
    assert dg.validate_run_config(job, {}) is not None
    with pytest.raises(dg.DagsterInvalidConfigError):
        dg.validate_run_config(job, {"resources": {"batch": {"config": config}}})


def test_run_takes_folder_and_date_of_the_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from orchestration.assets import configured_batch

    monkeypatch.setitem(os.environ, "KODOMO_LANDING", str(tmp_path))
    resource = configured_batch()(dg.build_init_resource_context())
    assert (resource.landing, resource.as_of_on, resource.strict) == (str(tmp_path), "", False)
