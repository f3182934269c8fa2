"""With the second factor required: nothing is reached with the password alone, by any address."""

from __future__ import annotations

import html
import re
import sqlite3
import time
from collections.abc import Iterator

import pyotp
import pytest
import requests

from kodomo.home import Home
from superset_config.security.factor import stored_factors
from tests.security.scratch import CHILD
from tests.security.servers import Person, Server, passwords, routes_of
from tests.security.test_routes import address
from tests.security.test_sessions import is_in

pytestmark = pytest.mark.slow
ACCOUNT, OTHER, ADMIN = "approver_all", "child_mano", "admin"
ASKED_AT = "/login/factor/"
OPEN = ("/static/", "/login/", "/logout/")
"""What answers before, and without, a log-in."""


@pytest.fixture(autouse=True)
def required(server: Server) -> Iterator[None]:
    """The factor is required of approvers and of administrators, none of whom has enrolled."""
    server.home.accounts.write_text("second_factor: {duties: [approver, admin]}\n", encoding="utf-8")
    server.sessions.pop(ACCOUNT, None)
    server.sessions.pop(ADMIN, None)
    forget(server)
    yield
    server.home.accounts.unlink()
    forget(server)


def forget(server: Server) -> None:
    with stored_factors(server.home) as factors:
        factors.reset(ACCOUNT)
        factors.reset(ADMIN)


def half_way(server: Server, username: str = ACCOUNT) -> Person:
    """A person after the password."""
    person = server.log_in(username)
    page = person.get(ASKED_AT).text
    person.token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)
    return person


def send(person: Person, **fields: str) -> requests.Response:
    return person.send("POST", ASKED_AT, data={**fields, "csrf_token": person.token})


def secret_of(server: Server, username: str = ACCOUNT) -> str:
    with stored_factors(server.home) as factors:
        return factors.begin(username).secret


def fresh_code(server: Server, username: str = ACCOUNT) -> str:
    """A code of the present; what was used before is forgotten, so that no test waits for the clock."""
    with sqlite3.connect(server.home.superset_metadata, timeout=30) as metadata:
        metadata.execute("update kodomo_factor set last_step = null where username = ?", [username])
    return pyotp.TOTP(secret_of(server, username)).at(time.time())


def enrolled(server: Server, username: str = ACCOUNT) -> tuple[Person, list[str]]:
    """A person who has enrolled and is in, and the recovery codes."""
    person = half_way(server, username)
    page = send(person, code=fresh_code(server, username))
    assert page.status_code == 200, page.text
    return person, re.findall(r"<code>(\w{4}-\w{4}-\w{4})</code>", page.text)


def test_no_address_answers_the_password_alone(server: Server, scratch_home: Home) -> None:
    person, exposed = half_way(server), []
    for method, rule in routes_of(scratch_home):
        if rule.startswith(OPEN) or rule in {"/health", "/healthcheck", "/ping"}:
            continue
        answer = person.send(method, address(rule), json={} if method != "GET" else None)
        is_refused = answer.status_code in {400, 401, 404, 405} or answer.headers.get("Location") == ASKED_AT
        if not is_refused or CHILD.search(answer.text):
            exposed.append(f"{method} {rule}: {answer.status_code}")
    assert not exposed, "\n".join(exposed)
    assert not is_in(person)


@pytest.mark.parametrize(
    "path",
    [
        "/login/factor/../../api/v1/me/", "//api/v1/me/", "/static/../api/v1/me/", "/health/../api/v1/me/",
        "/api/v1/me/?next=/login/factor/", "/login/factor/%2e%2e/%2e%2e/api/v1/me/", "/logout/../api/v1/me/",
    ],
)  # fmt: skip
def test_no_spelling_of_an_address_goes_past(server: Server, path: str) -> None:
    person = half_way(server)
    # As it stands: the client would tidy it up.
    request = person.http.prepare_request(requests.Request("GET", server.address))
    request.url = f"{server.address}{path}"
    answer = person.http.send(request, timeout=60, allow_redirects=False)
    assert answer.status_code in {301, 302, 308, 401, 404}
    assert ACCOUNT not in answer.text


def test_no_token_is_given_for_the_password(server: Server) -> None:
    person = half_way(server)
    body = {"username": ACCOUNT, "password": passwords(server.home)[ACCOUNT], "provider": "db", "refresh": True}
    for path in ("/api/v1/security/login", "/api/v1/security/refresh", "/api/v1/security/guest_token/"):
        for client in (person.http, requests):
            answer = client.post(f"{server.address}{path}", json=body, timeout=60, allow_redirects=False)
            assert answer.status_code in {400, 401, 403, 404, 405}, path
            assert "access_token" not in answer.text


def test_enrolment_lets_in_and_the_next_log_in_asks_for_a_code(server: Server) -> None:
    person = half_way(server)
    page = person.get(ASKED_AT).text
    assert 'class="drawing"' in page
    assert secret_of(server) in re.sub(r"\s", "", html.unescape(page))
    assert "コードが違うか" in send(person, code="000000").text
    assert not is_in(person)
    before = person.http.cookies.copy()
    person, codes = enrolled(server)
    assert is_in(person)
    assert len(codes) == 8
    assert person.get("/kodomo/model-approval/").status_code == 200
    # The session from before the code, and a new one with the password, are not in.
    stolen = Person(server, ACCOUNT, None)
    stolen.http.cookies = before
    assert not is_in(stolen)
    later = half_way(server)
    page = later.get(ASKED_AT).text
    assert 'class="drawing"' not in page
    assert secret_of(server) not in re.sub(r"\s", "", page)
    assert not is_in(later)
    assert send(later, code=fresh_code(server)).headers["Location"] == "/superset/welcome/"
    assert is_in(later)


def test_the_same_code_again_is_refused(server: Server) -> None:
    enrolled(server)
    code = fresh_code(server)
    first, second = half_way(server), half_way(server)
    assert send(first, code=code).status_code == 302
    assert send(second, code=code).status_code == 403
    assert not is_in(second)


def test_a_recovery_code_lets_in_once(server: Server) -> None:
    _, codes = enrolled(server)
    first, second = half_way(server), half_way(server)
    assert send(first, recovery=codes[0]).status_code == 302
    assert is_in(first)
    assert send(second, recovery=codes[0]).status_code == 403
    assert not is_in(second)


def test_a_code_needs_the_token_of_the_form(server: Server) -> None:
    person = half_way(server)
    answer = person.http.post(
        f"{server.address}{ASKED_AT}", data={"code": fresh_code(server)}, timeout=60, allow_redirects=False
    )
    assert answer.headers.get("Location") != "/superset/welcome/"
    assert not is_in(person)


def test_an_administrator_resets_with_a_reason_and_the_old_session_ends(server: Server) -> None:
    person, _ = enrolled(server)
    admin, _ = enrolled(server, ADMIN)
    token = admin.get("/api/v1/security/csrf_token/").json()["result"]

    def reset(who: Person, username: str, reason: str) -> requests.Response:
        body = {"username": username, "reason": reason, "csrf_token": token if who is admin else who.token}
        return who.send("POST", "/kodomo/factors/reset", data=body)

    assert ACCOUNT in admin.get("/kodomo/factors/").text
    assert reset(admin, ACCOUNT, " ").status_code == 400
    assert is_in(person)
    assert reset(admin, ADMIN, "自分").status_code == 403
    assert "リセットしました" in reset(admin, ACCOUNT, "窓口で職員証を確かめた").text
    # Its session does not enrol anew either.
    assert 'class="drawing"' not in person.get(ASKED_AT).text
    assert not is_in(person)
    enrolling = send(person, code=fresh_code(server))
    assert "予備コード" not in enrolling.text
    assert not is_in(person)
    rows = admin.rows("bi_audit", columns=["action_label", "item_label", "purpose"])
    assert {"action_label": "二要素認証のリセット", "item_label": ACCOUNT, "purpose": "窓口で職員証を確かめた"} in rows
    assert "二要素認証の登録" in {row["action_label"] for row in rows}
    # Nobody else may.
    other = server.person(OTHER)
    assert other.get("/kodomo/factors/").status_code in {302, 403}
    assert ADMIN not in other.get("/kodomo/factors/").text
    assert other.send("POST", "/kodomo/factors/reset", data={"username": ADMIN, "reason": "x"}).status_code != 200
    assert is_in(admin)


def test_others_log_in_as_before(server: Server) -> None:
    person = server.log_in(OTHER)
    assert is_in(person)
    assert person.get(ASKED_AT).headers["Location"] == "/superset/welcome/"


def test_settings_that_are_not_understood_ask_everybody(server: Server) -> None:
    server.home.accounts.write_text("second_factor: {duties: approver}\n", encoding="utf-8")
    for username in (ACCOUNT, OTHER):
        assert not is_in(server.log_in(username))


def test_neither_log_nor_database_holds_a_secret_or_code(server: Server) -> None:
    person, codes = enrolled(server)
    code = fresh_code(server)
    later = half_way(server)
    send(later, code="000000")
    send(later, code=code)
    log = (server.home.root / f"server-{server.address.rsplit(':', 1)[1]}.log").read_text(encoding="utf-8")
    with sqlite3.connect(server.home.superset_metadata) as metadata:
        kept = str([metadata.execute(f"select * from {table}").fetchall() for table in ("logs", "kodomo_factor")])
    sessions = b"".join(file.read_bytes() for file in server.home.sessions.iterdir() if file.is_file())
    for value in (secret_of(server), *codes, *(one.replace("-", "") for one in codes)):
        assert value not in log
        assert value not in kept
        assert value.encode() not in sessions
    assert is_in(person)


def test_guesses_of_a_code_are_limited_wherever_they_come_from(server: Server) -> None:
    enrolled(server)
    person = half_way(server)
    statuses = [send(person, code=f"{number:06}").status_code for number in range(40)]
    assert statuses[0] == 403
    assert statuses[-1] == 429
    # A new log-in counts for the same account.
    assert send(half_way(server), code=fresh_code(server)).status_code == 429
