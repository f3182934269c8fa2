"""Log-in, sessions, networks, tokens."""

from __future__ import annotations

import re
import sqlite3
import stat
import subprocess
import time
from pathlib import Path

import pytest
import requests

from kodomo.home import Home
from kodomo.programs import require_program
from superset_config.security.apply import new_password
from superset_config.security.manager import check_password
from superset_config.security.web import is_listed, parse_networks
from tests.nginx import SITES, write_configuration
from tests.security.servers import Person, Server, apply, free_port, passwords, serve

pytestmark = pytest.mark.slow


def is_in(person: Person) -> bool:
    """Whether the server knows the person."""
    return person.get("/api/v1/me/").status_code == 200


def test_the_log_in_page_is_japanese(server: Server) -> None:
    page = requests.get(f"{server.address}/login/", timeout=60)
    assert '<html lang="ja">' in page.text
    assert "&#34;locale&#34;: &#34;ja&#34;" in page.text or '"locale": "ja"' in page.text
    words = requests.get(f"{server.address}/superset/language_pack/ja/", timeout=60)
    assert words.status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/superset/dashboard/nowhere/", 404, "見つかりません"),
        ("/sqllab/", 403, "権限がありません"),
        ("/no/such/page", 404, "見つかりません"),
    ],
)
def test_an_error_page_is_japanese_and_names_no_other_host(
    server: Server, path: str, status: int, message: str
) -> None:
    answer = server.person("child_ryotsu").get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == status
    assert message in answer.text
    assert "http" not in answer.text


def test_wrong_password_and_unknown_name_get_the_same_message(server: Server) -> None:
    answers = []
    for username in ("child_ryotsu", "unknown"):
        person = Person(server, username, None)
        answer = person.log_in("wrong-Password-1")
        answers.append((answer.status_code, answer.headers.get("Location")))
        assert not is_in(person)
    assert answers[0] == answers[1]


def test_a_session_is_worth_nothing_after_log_out(server: Server) -> None:
    person = server.log_in("child_ryotsu")
    cookies = person.http.cookies.copy()
    assert is_in(person)
    person.get("/logout/")
    stolen = Person(server, "child_ryotsu", None)
    stolen.http.cookies = cookies
    assert not is_in(stolen)


def test_a_session_planted_before_log_in_is_worth_nothing(server: Server) -> None:
    person = Person(server, "child_ryotsu", None)
    person.get("/login/")
    planted = person.http.cookies.copy()
    person.log_in(passwords(server.home)["child_ryotsu"])
    assert is_in(person)
    thief = Person(server, "child_ryotsu", None)
    thief.http.cookies = planted
    assert not is_in(thief)


def test_request_sent_before_log_in_does_not_end_the_session(server: Server) -> None:
    person = Person(server, "health_all", None)
    person.get("/login/")
    before = person.http.cookies.copy()
    person.log_in(passwords(server.home)["health_all"])
    late = Person(server, "health_all", None)
    late.http.cookies = before
    # The log-in page asks for these by itself.
    for path in ("/superset/language_pack/ja/", "/health", "/api/v1/me/"):
        assert "Set-Cookie" not in late.get(path).headers
    assert person.get("/api/v1/me/").ok


def test_with_the_password_every_session_ends(server: Server) -> None:
    old, new = passwords(server.home)["child_minami"], "Another-Password-1"
    for before, after in ((old, new), (new, old)):
        stolen, person = server.log_in("child_minami", before), server.log_in("child_minami", before)
        page = person.get("/resetmypassword/form").text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)
        person.send(
            "POST", "/resetmypassword/form",
            data={"csrf_token": token, "old_password": before, "password": after, "conf_password": after},
        )  # fmt: skip
        assert not is_in(stolen)
        assert not is_in(person)
        assert is_in(server.log_in("child_minami", after))
    server.sessions.pop("child_minami", None)


def test_cookies_are_closed_to_scripts_and_other_sites(server: Server) -> None:
    answer = requests.get(f"{server.address}/login/", timeout=60)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_keys_passwords_and_sessions_are_their_owners(server: Server) -> None:
    home = server.home
    files = [home.demo_accounts, *home.superset.glob("*.key"), *(home.superset / "sessions").iterdir()]
    assert len(files) > 4
    for file in files:
        assert not stat.S_IMODE(file.stat().st_mode) & 0o077, file.name


@pytest.mark.parametrize(
    ("username", "path", "place"),
    [
        ("child_ryotsu", "/superset/welcome/", "/kodomo/"),
        ("executive_all", "/superset/welcome/", "/kodomo/"),
        ("admin", "/superset/welcome/", "/dashboard/list/"),
        ("newcomer", "/superset/welcome/", "/dashboard/list/"),
        ("child_ryotsu", "/user_info/", "/resetmypassword/form"),
    ],
)
def test_the_menu_leads_to_pages_of_ours(server: Server, username: str, path: str, place: str) -> None:
    answer = server.person(username).get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, place)


def test_staff_change_their_password_by_the_rule(server: Server) -> None:
    old, new = passwords(server.home)["newcomer"], "Totemo-Nagai-7"
    person = server.log_in("newcomer")

    def send(password: str, again: str, before: str = old) -> requests.Response:
        form = {"old_password": before, "password": password, "conf_password": again, "csrf_token": person.token}
        return person.send("POST", "/resetmypassword/form", data=form)

    for wrong in ("", new):
        assert "いまのパスワードが違います" in send(new, new, wrong).text
    assert "3種類以上を含めてください" in send("short", "short").text
    assert "新しいパスワードと違います" in send(new, old).text
    assert is_in(server.log_in("newcomer", old))
    assert "パスワードを変更しました" in send(new, new).text
    assert not is_in(person)
    assert not is_in(server.log_in("newcomer", old))
    person = server.log_in("newcomer", new)
    assert is_in(person)
    send(old, old, new)
    server.sessions.pop("newcomer", None)


@pytest.mark.parametrize("username", ["child_sawata", "admin"])
def test_no_other_address_changes_a_password(server: Server, username: str) -> None:
    person, new = server.person(username), "Totemo-Nagai-7"
    with sqlite3.connect(server.home.superset_metadata) as metadata:
        query = "select id from ab_user where username = ?"
        (own,), (other,) = (metadata.execute(query, [name]).fetchone() for name in (username, "child_niibo"))
    for number in (own, other):
        for method, path, body in (
            ("PUT", "/api/v1/me/", {"json": {"password": new}}),
            ("PUT", f"/api/v1/security/users/{number}", {"json": {"password": new}}),
            ("POST", "/api/v1/security/users/", {"json": {"username": "x", "password": new, "roles": [1]}}),
            ("POST", f"/resetpassword/form?pk={number}", {"data": {"password": new, "conf_password": new}}),
            ("POST", f"/users/edit/{number}", {"data": {"password": new, "conf_password": new}}),
            ("POST", "/resetmypassword/form", {"data": {"password": new, "conf_password": new}}),
        ):
            if "data" in body:
                body["data"]["csrf_token"] = person.token
            answer = person.send(method, path, **body)
            assert "パスワードを変更しました" not in answer.text, path
    for name in (username, "child_niibo"):
        assert is_in(server.log_in(name, passwords(server.home)[name]))


@pytest.mark.parametrize("path", ["/api/v1/chart/data", "/api/v1/dashboard/1/filter_state", "/login/"])
def test_a_change_without_a_token_is_refused(server: Server, path: str) -> None:
    person = server.person("child_ryotsu")
    body = {"datasource": {"id": server.datasets()["bi_child"], "type": "table"}, "queries": [{"columns": ["kana"]}]}
    answer = person.http.post(f"{server.address}{path}", json=body, timeout=60, allow_redirects=False)
    assert answer.status_code == 400
    assert "P0" not in answer.text


def test_request_without_a_log_in_is_refused(server: Server) -> None:
    for path in (
        "/api/v1/dashboard/",
        "/api/v1/dataset/",
        "/api/v1/chart/",
        "/superset/dashboard/overview/",
        "/api/v1/me/",
    ):
        answer = requests.get(f"{server.address}{path}", timeout=60, allow_redirects=False)
        assert answer.status_code in {302, 401, 403, 404} or answer.json().get("count") == 0, path


def test_no_token_outlives_a_session(server: Server) -> None:
    body = {"username": "child_ryotsu", "password": passwords(server.home)["child_ryotsu"], "provider": "db"}
    person = server.person("child_ryotsu")
    for path in ("/api/v1/security/login", "/api/v1/security/refresh"):
        answer = person.send("POST", path, json={**body, "refresh": True})
        assert answer.status_code in {404, 405}, path
        assert "token" not in answer.text


@pytest.mark.parametrize("username", ["newcomer", "partner", "child_ryotsu", "admin"])
def test_accounts_and_roles_are_listed_for_administrators_only(server: Server, username: str) -> None:
    person = server.person(username)
    for path in ("dashboard/related/owners", "dashboard/related/changed_by", "chart/related/owners",
                 "chart/related/created_by", "dataset/related/owners"):  # fmt: skip
        names = [row["text"] for row in person.get(f"/api/v1/{path}?q=(page_size:100)").json()["result"]]
        if username == "admin":
            assert len(names) > 20, path
        else:
            assert len(names) == 1, path
    roles = person.get("/api/v1/dashboard/related/roles?q=(page_size:100)").json()["result"]
    assert ("dv_authorised" in {row["text"] for row in roles}) is (username == "admin")


def test_the_log_of_the_server_holds_no_value(server: Server) -> None:
    person, number = server.person("child_ryotsu"), server.datasets()["bi_child"]

    def named(value: object) -> list[dict]:
        return [{"col": "display_name", "op": "IN", "val": [value]}]

    # What Superset logs with its conditions: questions that the engine cannot answer, and values that are none.
    assert (
        person.ask(number, columns=["kana"], filters=named("ことば"), orderby=[["departments", True]]).status_code
        >= 400
    )
    day = [{"col": "birth_on", "op": ">", "val": "ことば"}]
    assert person.ask(number, columns=["kana"], filters=day).status_code >= 400
    assert person.ask(number, columns=["kana"], filters=named(["ことば"])).status_code == 403
    assert person.ask(number, columns=["kana"], time_range="ことば : ことば").status_code >= 400
    log = (server.home.root / f"server-{server.address.rsplit(':', 1)[1]}.log").read_text(encoding="utf-8")
    assert "Traceback" in log
    assert "ことば" not in log


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/time_range/", "/api/v1/time_range/?q=(a:b)", "/api/v1/database/oauth2/", "/lang/zz",
        "/datasource/samples?datasource_id=x&datasource_type=table", "/datasource/samples?datasource_type=table",
        "/datasource/samples?datasource_id=1&datasource_type=table&page=x",
    ],
)  # fmt: skip
def test_nonsense_in_an_address_is_refused_in_japanese(server: Server, path: str) -> None:
    person = server.person("child_ryotsu")
    answer = person.send("POST", path, json={}) if path.startswith("/datasource/") else person.get(path)
    assert answer.status_code == 400
    assert answer.json()["message"] == "要求を受け付けられません。入力を確認してください。"


@pytest.mark.parametrize(
    ("query", "more"),
    [
        ({"filters": [{"col": "kana", "op": "IN", "val": None}]}, {}),
        ({"post_processing": [{"operation": "pivot", "options": {}}]}, {}),
        ({"post_processing": [{"operation": "rank", "options": 5}]}, {}),
        ({}, {"form_data": 5}),
        ({}, {"form_data": "x"}),
        ({}, {"form_data": {"row_limit": "x"}, "result_format": "csv"}),
        ({"row_limit": "x"}, {}),
        ({"columns": {"a": 1}}, {}),
    ],
)
def test_question_of_another_kind_is_refused_in_japanese(server: Server, query: dict, more: dict) -> None:
    person = server.person("child_ryotsu")
    body = {
        "datasource": {"id": server.datasets()["bi_child"], "type": "table"},
        "queries": [{"columns": ["person_id"], "row_limit": 3, **query}], "result_format": "json",
        "result_type": "full", **more,
    }  # fmt: skip
    answer = person.send("POST", "/api/v1/chart/data", json=body)
    assert 400 <= answer.status_code < 404, answer.text[:300]
    assert re.search("[ぁ-んァ-ヶ]", answer.json()["message"])


def test_answer_holds_no_statement_and_is_kept_by_no_browser(server: Server) -> None:
    person, number = server.person("child_ryotsu"), server.datasets()["bi_child"]
    for kind in ("full", "query", "results"):
        body = {
            "datasource": {"id": number, "type": "table"}, "queries": [{"columns": ["person_id"]}],
            "result_format": "json", "result_type": kind,
        }  # fmt: skip
        answer = person.send("POST", "/api/v1/chart/data", json=body)
        assert "SELECT" not in answer.text.upper()
        assert "area_code =" not in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
    for path in (f"/api/v1/dataset/{number}", "/entry/meeting/", "/api/v1/dashboard/"):
        assert person.get(path).headers["Cache-Control"] == "no-store"


@pytest.fixture(scope="module")
def strict_server(scratch_home: Home) -> Server:
    """A server with short sessions, a limit of attempts, and listed networks behind a proxy."""
    variables = {
        "KODOMO_IDLE_SECONDS": "4",
        "KODOMO_SESSION_SECONDS": "10",
        "KODOMO_LOGIN_LIMIT": "3 per minute",
        "KODOMO_ADDRESS_LIMIT": "5 per minute",
        "KODOMO_NETWORKS": "10.1.0.0/16,192.168.7.0/24",
        "KODOMO_BEHIND_PROXY": "1",
        "KODOMO_TLS": "1",
    }
    with serve(scratch_home, **variables) as running:
        yield running


def inside(server: Server, username: str) -> Person:
    """A client of a listed network, as the proxy forwards it."""
    person = Person(server, username, None)
    person.http.headers.update({"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https"})
    person.http.headers["Referer"] = f"{server.address}/login/".replace("http:", "https:")

    def with_secure_cookies(request: requests.PreparedRequest) -> requests.PreparedRequest:
        # The cookie is for TLS only; the proxy ends it, and the test stands where the proxy does.
        request.headers["Cookie"] = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.http.cookies)
        return request

    person.http.auth = with_secure_cookies
    return person


def test_other_networks_do_not_reach_it(strict_server: Server) -> None:
    for forwarded in ("10.2.0.1", "203.0.113.9", "10.1.2.3, 203.0.113.9", "nonsense"):
        answer = requests.get(f"{strict_server.address}/login/", headers={"X-Forwarded-For": forwarded}, timeout=60)
        assert answer.status_code == 403, forwarded
    assert requests.get(f"{strict_server.address}/login/", timeout=60).status_code == 403
    answer = requests.get(f"{strict_server.address}/login/", headers={"X-Forwarded-For": "192.168.7.1"}, timeout=60)
    assert answer.status_code == 200


def test_cookies_are_secure_under_tls(strict_server: Server) -> None:
    headers = {"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https"}
    answer = requests.get(f"{strict_server.address}/login/", headers=headers, timeout=60)
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_attempts_to_log_in_are_limited_by_name(strict_server: Server) -> None:
    # Two worker processes answer in turn, and count together.
    statuses = [inside(strict_server, "child_kanai").log_in("wrong-Password-1").status_code for _ in range(6)]
    assert [status == 429 for status in statuses] == [False] * 3 + [True] * 3
    other = inside(strict_server, "child_sawata")
    other.log_in(passwords(strict_server.home)["child_sawata"])
    assert is_in(other)


def test_other_spellings_of_a_name_are_the_same_account(strict_server: Server) -> None:
    spellings = [
        "child_mano", "CHILD_mano", " child_mano ", "child_mano@kodomo.invalid", "ｃｈｉｌｄ＿ｍａｎｏ",
        "child_mano\u200b",
    ]  # fmt: skip
    statuses = []
    for name in spellings:
        person = inside(strict_server, name)
        # From an address that no other test counts.
        person.http.headers["X-Forwarded-For"] = "192.168.7.66"
        statuses.append(person.log_in("wrong-Password-1").status_code)
    assert [status == 429 for status in statuses] == [False] * 3 + [True] * 3


def test_guesses_of_the_old_password_are_limited(strict_server: Server) -> None:
    person = inside(strict_server, "child_minami")
    # From an address of its own, the limit of the address being another.
    person.http.headers["X-Forwarded-For"] = "192.168.7.77"
    person.log_in(passwords(strict_server.home)["child_minami"])
    guess = {"old_password": "wrong-Password-1", "password": "Totemo-Nagai-7", "conf_password": "Totemo-Nagai-7"}
    token = person.get("/api/v1/security/csrf_token/").json()["result"]
    statuses = [
        person.send(
            "POST", "/resetmypassword/form", data={**guess, "csrf_token": token},
            headers={"Referer": person.http.headers["Referer"]},
        ).status_code
        for _ in range(4)
    ]  # fmt: skip
    # One attempt was the log-in.
    assert [status == 429 for status in statuses] == [False] * 2 + [True] * 2


def test_one_password_is_not_tried_on_every_name(strict_server: Server) -> None:
    def tried(address: str, username: str, password: str) -> tuple[int, bool]:
        person = inside(strict_server, username)
        person.http.headers["X-Forwarded-For"] = address
        return person.log_in(password).status_code, is_in(person)

    good = passwords(strict_server.home)["child_niibo"]
    # Who comes in is not counted.
    assert all(tried("192.168.7.9", "child_niibo", good)[1] for _ in range(2))
    statuses = [tried("192.168.7.9", f"nobody_{number}", "wrong-Password-1")[0] for number in range(8)]
    assert [status == 429 for status in statuses] == [False] * 5 + [True] * 3
    assert tried("192.168.7.9", "child_niibo", good) == (429, False)
    assert tried("192.168.7.10", "child_niibo", good)[1]


def test_whether_it_is_up_is_asked_from_this_machine(strict_server: Server) -> None:
    for forwarded, status in (("203.0.113.9", 403), ("10.1.2.3", 200), (None, 200)):
        headers = {"X-Forwarded-For": forwarded} if forwarded else {}
        assert requests.get(f"{strict_server.address}/health", headers=headers, timeout=60).status_code == status


def test_an_idle_session_ends(strict_server: Server) -> None:
    person = inside(strict_server, "child_ryotsu")
    person.log_in(passwords(strict_server.home)["child_ryotsu"])
    assert is_in(person)
    time.sleep(6)
    assert not is_in(person)


def test_a_long_session_ends(strict_server: Server) -> None:
    person = inside(strict_server, "child_aikawa")
    person.log_in(passwords(strict_server.home)["child_aikawa"])
    started = time.monotonic()
    lasted = []
    while time.monotonic() - started < 14:
        if is_in(person):
            lasted.append(time.monotonic() - started)
        time.sleep(1)
    assert 4 < max(lasted) < 12.5


@pytest.mark.parametrize(
    ("address", "networks", "listed"),
    [
        ("10.1.2.3", "10.1.0.0/16", True),
        ("10.2.2.3", "10.1.0.0/16", False),
        ("::ffff:10.1.2.3", "10.1.0.0/16", True),
        ("fd00::1", "fd00::/8, 10.0.0.0/8", True),
        ("fd00::1", "10.0.0.0/8", False),
        (None, "10.0.0.0/8", False),
        ("unix", "10.0.0.0/8", False),
        ("127.0.0.1", "", True),
        ("::1", " ", True),
        ("10.1.2.3", "", False),
    ],
)
def test_networks(address: str | None, networks: str, listed: bool) -> None:
    assert is_listed(address, parse_networks(networks)) is listed


@pytest.mark.parametrize("password", ["short-1A", "alllowercaseletters", "ALLUPPER12345", "123456789012"])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(Exception, match="パスワード"):
        check_password(password)


def test_initial_passwords_are_strong() -> None:
    for _ in range(200):
        check_password(new_password())


def test_apply_again_changes_nothing(server: Server) -> None:
    assert "Everything is as the files say." in apply(server.home)


def test_a_dry_run_says_and_changes_nothing(server: Server) -> None:
    home = server.home
    before = content(home)
    text = home.staff.read_text(encoding="utf-8")
    try:
        home.staff.write_text(text + "visitor,見学者,child,mano,case_worker,0\n", encoding="utf-8")
        said = apply(home, "--dry-run", "--verbose")
        assert "account visitor: made" in said
        assert "would be made" in said
        assert content(home) == before
        assert "visitor" not in passwords(home)
    finally:
        home.staff.write_text(text, encoding="utf-8")


def content(home: Home) -> list[tuple]:
    """Accounts, roles and rules in the metadata."""
    with sqlite3.connect(home.superset / "superset.db") as connection:
        return [
            *connection.execute("select username, active from ab_user order by username"),
            *connection.execute("select user_id, role_id from ab_user_role order by 1, 2"),
            *connection.execute("select name from ab_role order by name"),
            *connection.execute("select name, clause, filter_type from row_level_security_filters order by name"),
            *connection.execute("select role_id, permission_view_id from ab_permission_view_role order by 1, 2"),
        ]


def test_the_shipped_proxy_configuration(strict_server: Server, tmp_path: Path) -> None:
    """nginx from Debian, with TLS, in front of the running server."""
    port = free_port()
    (site,) = [site for site in SITES if site.stem == "kodomo"]
    changes = {
        "127.0.0.1:8088": strict_server.address.removeprefix("http://"),
        # The test comes from this machine: for this one request it stands in for a listed network.
        "$remote_addr": "10.1.2.3",
    }
    path = write_configuration(tmp_path, [site], {"80": free_port(), "443": port}, changes)
    process = subprocess.Popen([require_program("nginx"), "-c", str(path), "-p", str(tmp_path)])
    try:
        proxied = Server(strict_server.home, f"https://127.0.0.1:{port}")
        person = Person(proxied, "child_mano", None)
        person.http.verify = person.http.trust_env = False
        deadline = time.monotonic() + 20
        while True:
            try:
                page = person.get("/login/")
                break
            except requests.ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.2)
        assert page.status_code == 200
        person.log_in(passwords(strict_server.home)["child_mano"])
        assert is_in(person)
        # What a client claims about its address is not handed on.
        answer = person.get("/api/v1/me/", headers={"X-Forwarded-For": "203.0.113.9"})
        assert answer.status_code == 200
    finally:
        process.terminate()
        process.wait(timeout=10)
