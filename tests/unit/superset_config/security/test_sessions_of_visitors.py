"""What is kept of a visitor, and which answers set the cookie of a session."""

from __future__ import annotations

from pathlib import Path

import pytest
from cachelib import FileSystemCache
from flask import Flask, session
from flask.testing import FlaskClient

from superset_config.security import sessions


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """A log-in page with a token, what the page asks for by itself, and a log-in that gives a new id."""
    app = Flask("visitors")
    app.secret_key = "a key of the home"
    app.config |= {
        "SESSION_CACHELIB": FileSystemCache(str(tmp_path)),
        "SESSION_PERMANENT": True,
        "SESSION_REFRESH_EACH_REQUEST": False,
    }
    sessions.install(app)

    @app.before_request
    def japanese() -> None:
        if session.get("locale") != "ja":
            session["locale"] = "ja"

    @app.get("/login/")
    def page() -> str:
        session.setdefault("csrf_token", "token")
        return "form"

    @app.get("/words")
    def words() -> str:
        return session.get("user", "anonymous")

    @app.post("/login/")
    def log_in() -> str:
        sessions.replace_id(app, session)
        session["user"] = "account"
        session["_user_id"] = "1"
        return "in"

    @app.get("/slow")
    def slow() -> str:
        session["changed"] = "while the form was sent"
        app.config["MEANWHILE"]()
        return "late"

    @app.get("/logout")
    def log_out() -> str:
        del session["_user_id"], session["user"]
        return "out"

    @app.get("/end")
    def end() -> str:
        session.clear()
        return "out"

    return app


def sid(client: FlaskClient) -> str | None:
    cookie = client.get_cookie("session")
    return cookie and cookie.value


def late(app: Flask, before: str | None, path: str, **headers: str) -> str | None:
    """The cookie that an answer to a request under an earlier id sets."""
    client = app.test_client()
    client.set_cookie("session", before or "")
    return client.get(path, headers=headers).headers.get("Set-Cookie")


def test_a_visitor_gets_a_session_with_the_form_only(app: Flask) -> None:
    client = app.test_client()
    client.get("/words")
    assert sid(client) is None
    client.get("/login/")
    assert sid(client)


@pytest.mark.parametrize("path", ["/login/", "/words"])
def test_late_answer_sets_no_cookie(app: Flask, path: str) -> None:
    client = app.test_client()
    client.get("/login/")
    before = sid(client)
    client.post("/login/")
    assert sid(client) != before
    assert late(app, before, path) is None
    assert late(app, before, path, **{"Sec-Fetch-Mode": "cors"}) is None
    assert client.get("/words").text == "account"


def test_request_that_began_before_log_in_does_not_bring_the_replaced_session_back(app: Flask) -> None:
    client = app.test_client()
    client.get("/login/")
    before = sid(client)
    app.config["MEANWHILE"] = lambda: client.post("/login/")
    assert late(app, before, "/slow") is None
    assert late(app, before, "/words") is None
    assert client.get("/words").text == "account"


def test_page_opened_again_after_a_lost_answer_can_be_logged_in_from(app: Flask) -> None:
    client = app.test_client()
    client.get("/login/")
    before = sid(client)
    client.post("/login/")
    again = app.test_client()
    again.set_cookie("session", before or "")
    assert again.get("/login/", headers={"Sec-Fetch-Mode": "navigate"}).text == "form"
    again.post("/login/")
    assert again.get("/words").text == "account"


def test_replaced_session_has_no_user(app: Flask) -> None:
    client = app.test_client()
    client.get("/login/")
    planted = sid(client)
    client.post("/login/")
    thief = app.test_client()
    thief.set_cookie("session", planted or "")
    assert thief.get("/words").text == "anonymous"


def test_ended_session_is_forgotten(app: Flask) -> None:
    client = app.test_client()
    client.get("/login/")
    client.post("/login/")
    kept = sid(client)
    client.get("/end")
    thief = app.test_client()
    thief.set_cookie("session", kept or "")
    assert thief.get("/words").text == "anonymous"


def stored(app: Flask) -> int:
    """How many sessions the server keeps."""
    return len(list(Path(app.config["SESSION_CACHELIB"]._path).iterdir()))


def test_visitors_fill_no_store(app: Flask) -> None:
    before = stored(app)
    for _ in range(200):
        app.test_client().get("/login/")
        late(app, "made up", "/login/")
        late(app, "visitor.made.up", "/login/")
    assert stored(app) == before


def test_visitors_keep_their_form_between_requests(app: Flask) -> None:
    client = app.test_client()
    client.get("/login/")
    cookie = sid(client)
    client.get("/login/")
    assert sid(client) == cookie


def test_cookie_of_a_visitor_is_no_user(app: Flask) -> None:
    for secret, content in (
        ("another key", {"_sid": "x", "csrf_token": "theirs", "_user_id": "1", "user": "account"}),
        (app.secret_key, {"csrf_token": "without an id"}),
        (app.secret_key, ["no", "session"]),
    ):
        forger = Flask("forger")
        forger.secret_key = secret
        forged = "visitor." + str(sessions.SessionInterface._signer(forger).dumps(content))
        client = app.test_client()
        client.set_cookie("session", forged)
        assert client.get("/words").text == "anonymous"
    # Even one that this server signed holds no user.
    signed = "visitor." + str(sessions.SessionInterface._signer(app).dumps({"_sid": "x", "_user_id": "1"}))
    client = app.test_client()
    client.set_cookie("session", signed)
    with client.session_transaction() as content:
        assert "_user_id" not in content


def test_log_out_ends_what_the_server_keeps(app: Flask) -> None:
    client = app.test_client()
    client.get("/login/")
    client.post("/login/")
    kept = sid(client)
    before = stored(app)
    client.get("/logout")
    assert stored(app) == before - 1
    thief = app.test_client()
    thief.set_cookie("session", kept or "")
    assert thief.get("/words").text == "anonymous"
