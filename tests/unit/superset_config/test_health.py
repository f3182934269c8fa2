"""`/health`: all that is known on this machine, one word elsewhere, 503 where something stops."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kodomo.home import Home
from superset_config import health
from superset_config.security.web import scrub
from tests.unit.watching.homes import put_in_service


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "var").ensure()


@pytest.fixture
def client(home: Home, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr(health, "KEPT_SECONDS", -1)
    app = Flask(__name__)
    app.add_url_rule("/health", view_func=lambda: "OK", methods=["GET", "POST"])
    app.add_url_rule("/ping", view_func=lambda: "OK", endpoint="ping")
    health.install(app, home)
    app.after_request(scrub)
    return app.test_client()


def test_this_machine_reads_each_sign_with_its_figures(home: Home, client: FlaskClient) -> None:
    put_in_service(home, dt.datetime.now(dt.UTC))
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json["status"] == "note"
    assert set(answer.json["checks"]) == {"batch", "disk", "queue", "backup", "run"}
    assert answer.json["checks"]["backup"] == {
        "status": "note", "fault": "backup_missing", "age_seconds": None, "is_tried": False
    }  # fmt: skip
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_what_is_wrong_is_503_with_its_code(client: FlaskClient, accept: str) -> None:
    answer = client.get("/health", headers={"Accept": accept})
    assert answer.status_code == 503
    assert answer.json["status"] == "wrong"
    assert answer.json["checks"]["batch"]["fault"] == "publication_missing"


@pytest.mark.parametrize(
    ("address", "headers"), [("10.1.2.3", {}), ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}), ("::ffff:10.1.2.3", {})]
)
def test_other_machines_read_one_word(home: Home, client: FlaskClient, address: str, headers: dict[str, str]) -> None:
    environment = {"REMOTE_ADDR": address}
    answer = client.get("/health", headers=headers, environ_overrides=environment)
    assert (answer.status_code, answer.json) == (503, {"status": "wrong"})
    put_in_service(home, dt.datetime.now(dt.UTC))
    answer = client.get("/health", headers=headers, environ_overrides=environment)
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_other_addresses_are_left_to_superset(client: FlaskClient) -> None:
    assert client.get("/ping").text == "OK"
    assert client.post("/health").text == "OK"
