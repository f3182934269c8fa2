"""Checks of every request: listed networks, sessions that end, Japanese, and answers that reveal nothing about the
machine."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import logging
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

import prison
from flask import Flask, Response, current_app, g, redirect, request, session
from flask_login import current_user, logout_user, user_logged_in
from sqlalchemy.exc import DataError

from kodomo.access.access import read_access
from kodomo.access.scope import Scope
from superset_config import language
from superset_config.security import factor_pages, own_tables, sessions
from superset_config.security.files import tells_of_the_machine
from superset_config.security.grants import refusal

GENERAL_JA = "処理できませんでした。入力を確認し、続く場合は管理者に連絡してください。"
NETWORK_JA = "このネットワークからは利用できません。"
_SIGNED_IN = "kodomo_signed_in_at"
_SEEN = "kodomo_seen_at"
_PASSWORD = "kodomo_password"
# What Superset puts before a message of its own or of the engine.
_PREFIX = re.compile(r"(?i)^(エラー: ?|error: ?|duckdb error: ?)+")
_JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")
# An answer that says something of an error; that there was none is said in each answer with data.
_MESSAGE = re.compile(r'"(?:error|errors|message)":\s*(?!null|\[\s*\]|\{\s*\})\S')
STATUS_JA = {
    400: "要求を受け付けられません。入力を確認してください。",
    401: "ログインしてください。",
    403: "この操作をする権限がありません。",
    404: "見つかりません。",
    405: "この操作はできません。",
    413: "要求が大きすぎます。",
    422: "要求を受け付けられません。入力を確認してください。",
    429: "回数が多すぎます。しばらくしてからもう一度お試しください。",
}
ERROR_PAGE = (
    '<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>こども統合DB</title></head>'
    '<body style="font-family: sans-serif; margin: 20vh auto; max-width: 32em; text-align: center">'
    '<h1 style="font-size: 1.4em">{text}</h1><p>（{status}）</p>'
    '<p><a href="/dashboard/list/">ダッシュボードの一覧へ</a></p></body></html>'
)
LOOPBACK = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
MOST_QUERIES, MOST_VALUES, MOST_DEEP, MOST_TEXT, MOST_BRACKETS = 10, 5_000, 20, 2_000, 60
"""Of one question for chart data: queries; values, nesting, letters and brackets of a text in them."""
MOST_RANGE = 120
_LONG_NUMBER = re.compile(r"\d{5,}")
# Superset's own start page shows charts out of their dashboards, and its profile page is closed to all.
_WELCOME = "/superset/welcome"
_ELSEWHERE = {_WELCOME: "/dashboard/list/", "/user_info": "/resetmypassword/form"}
# Pages that say their errors themselves.
_OWN = ("/entry/", "/kodomo/", "/data-docs/")
# What says nothing of anybody, and is large: a browser may keep it.
_SHARED = ("/static/", "/superset/language_pack/")
_WITH_STATEMENTS = (
    "/api/v1/chart/", "/api/v1/dataset/", "/api/v1/datasource/", "/api/v1/dashboard/", "/api/v1/explore/",
    "/datasource/",
)  # fmt: skip
# A value with the name of a statement, in what Superset writes as JSON; the answer holds no column of such a name.
_STATEMENT = re.compile(r'"(query|sql|select_star|rendered_sql)": ?"(?:[^"\\]|\\.)+"')
# The page requests these by itself; they are no sign of an active user.
HEALTH_AT, PING_AT = "/health", "/ping"
_QUIET = ("/static/", HEALTH_AT, PING_AT)


def install(app: Flask) -> None:
    """Put the checks before and after every request of Superset."""
    networks = parse_networks(app.config["KODOMO_NETWORKS"])
    own_tables.install(app)
    sessions.install(app)
    language.install(app)

    @app.before_request
    def only_listed_networks() -> Response | None:
        # Whether it is up may be asked from this machine.
        is_check = request.path in {HEALTH_AT, PING_AT} and is_listed(request.remote_addr, LOOPBACK)
        if not is_check and not is_listed(request.remote_addr, networks):
            return Response(NETWORK_JA, 403, mimetype="text/plain; charset=utf-8")
        return None

    @app.before_request
    def japanese() -> None:
        if not request.path.startswith(_QUIET) and session.get("locale") != "ja":
            session["locale"] = "ja"

    @app.before_request
    def reject_partial_queries() -> Response | None:
        is_question = request.method == "POST" and request.path.rstrip("/") == "/api/v1/chart/data"
        return _bad_request() if is_question and not _is_whole() else None

    @app.before_request
    def reject_what_superset_stumbles_over() -> Response | None:
        path = request.path.rstrip("/")
        is_whole = _ARGUMENTS[path](request.args) if path in _ARGUMENTS else True
        return None if is_whole else _bad_request()

    @app.before_request
    def reject_numbers_of_no_column() -> Response | None:
        parts = [*request.path.split("/"), *(request.args.get(name, "") for name in _ID_ARGUMENTS)]
        is_held = all(int(part) <= MOST_ID for part in parts if part.isascii() and part.isdigit())
        return None if is_held and not _NUMBER_OF_NO_COLUMN.search(request.args.get("q", "")) else _bad_request()

    @app.before_request
    def reject_endless_ranges() -> Response | None:
        if request.path.rstrip("/") == "/api/v1/time_range" and _LONG_NUMBER.search(request.args.get("q", "")):
            return Response(
                json.dumps({"message": STATUS_JA[400]}, ensure_ascii=False), 400, mimetype="application/json"
            )
        return None

    @app.before_request
    def sessions_end() -> None:
        if request.path.startswith(_QUIET) or not current_user.is_authenticated:
            return
        now = time.time()
        signed_in, seen = session.get(_SIGNED_IN), session.get(_SEEN)
        if (
            signed_in is None
            or seen is None
            or now - signed_in > app.config["KODOMO_SESSION_SECONDS"]
            or now - seen > app.config["KODOMO_IDLE_SECONDS"]
            or session.get(_PASSWORD) != _password_of(current_user)
        ):
            logout_user()
            session.clear()
            return
        # Written once in a while, not at each of a dashboard's twenty requests.
        if now - seen > min(30, app.config["KODOMO_IDLE_SECONDS"] / 4):
            session[_SEEN] = now

    @app.before_request
    def grants_end() -> Response | None:
        if request.path.startswith(_QUIET) or not current_user.is_authenticated:
            return None
        refused = refusal(current_user)
        if refused is None:
            return None
        logout_user()
        session.clear()
        return refusal_page(refused)

    factor_pages.install(app)

    @app.before_request
    def redirect_replaced_pages() -> Response | None:
        path = request.path.rstrip("/")
        if path not in _ELSEWHERE or not current_user.is_authenticated:
            return None
        start = _start_page() if path == _WELCOME else None
        return redirect(start or _ELSEWHERE[path])

    @user_logged_in.connect_via(app)
    def signed_in(_sender: Any, user: Any, **_kwargs: Any) -> None:
        sessions.replace_id(app, session)
        session.permanent = True
        session[_SIGNED_IN] = session[_SEEN] = time.time()
        session[_PASSWORD] = _password_of(user)

    @app.errorhandler(RecursionError)
    def too_deep(_error: RecursionError) -> Response:
        return _bad_request()

    def malformed(error: Exception) -> Response:
        if not request.path.startswith(_PARSED_BY_SUPERSET):
            raise error
        logging.getLogger(__name__).warning("a request that Superset could not parse", exc_info=error)
        return _bad_request()

    for kind in _OF_NONSENSE:
        app.register_error_handler(kind, malformed)

    app.after_request(scrub)
    app.after_request(without_statements)

    @app.after_request
    def keep_nothing_in_browsers(response: Response) -> Response:
        # A machine at a counter is used by several people.
        if current_user.is_authenticated and not request.path.startswith(_SHARED):
            response.headers["Cache-Control"] = "no-store"
        return response


def refusal_page(text: str) -> Response:
    """A refusal for people: a page where one is asked for, else JSON."""
    if not request.path.startswith("/api/"):
        page = ERROR_PAGE.replace("/dashboard/list/", "/login/").replace("ダッシュボードの一覧へ", "ログインの画面へ")
        return Response(page.format(text=text, status=403), 403, mimetype="text/html")
    return Response(json.dumps({"message": text}, ensure_ascii=False), 403, mimetype="application/json")


def refused() -> Response:
    """The answer to a request that nobody may make."""
    return Response(json.dumps({"message": STATUS_JA[403]}, ensure_ascii=False), 403, mimetype="application/json")


def _bad_request() -> Response:
    return Response(json.dumps({"message": STATUS_JA[400]}, ensure_ascii=False), 400, mimetype="application/json")


def _has_time_range(arguments: Mapping[str, str]) -> bool:
    """Whether the argument ``q`` (Rison) is a range of time, or a list of them, as ``/api/v1/time_range/`` takes it."""
    try:
        return bool(arguments.get("q")) and isinstance(prison.loads(arguments["q"]), (str, list))
    except (prison.decoder.ParserException, ValueError):
        return False


def _names_samples(arguments: Mapping[str, str]) -> bool:
    """Whether the arguments name a table of which records are asked for, by numbers."""
    numbers = (arguments.get(name) for name in ("page", "per_page", "dashboard_id") if arguments.get(name))
    is_table = arguments.get("datasource_type") == "table" and arguments.get("datasource_id", "").isdecimal()
    return is_table and all(number.isdecimal() and len(number) < 10 for number in numbers)


# Superset takes the parts of a question as they come: of another kind they end as one of these.
# A number that no column can hold: SQLite's driver says OverflowError, a server's DataError.
_OF_NONSENSE = (
    AssertionError, AttributeError, DataError, IndexError, KeyError, OverflowError, TypeError, ValueError
)  # fmt: skip
MOST_ID = 2**31 - 1
"""The greatest id that the metadata's columns hold."""
_ID_ARGUMENTS = ("slice_id", "datasource_id", "dashboard_id")
_NUMBER_OF_NO_COLUMN = re.compile(r"[0-9]{19}")
_PARSED_BY_SUPERSET = ("/api/v1/", "/datasource/", "/explore/", "/lang/", "/superset/")
# Addresses whose arguments are parsed without a check that answers for itself.
_ARGUMENTS = {
    "/api/v1/time_range": _has_time_range,
    "/datasource/samples": _names_samples,
    "/api/v1/database/oauth2": lambda arguments: {"state", "code"} <= set(arguments) or "error" in arguments,
}


def without_statements(response: Response) -> Response:
    """Take the SQL out of answers: it has the rules for rows in it, and no page shows it."""
    if response.mimetype != "application/json" or not request.path.startswith(_WITH_STATEMENTS):
        return response
    if response.is_streamed or response.direct_passthrough:
        return response
    text = response.get_data(as_text=True)
    if _STATEMENT.search(text):
        response.set_data(_STATEMENT.sub(r'"\1": ""', text))
    return response


def _start_page() -> str | None:
    """The address of the page of tasks, for those who have it."""
    roles = current_app.appbuilder.sm.get_user_roles(current_user)
    page = read_access().entry_pages["start"]
    return f"{page.address}/" if page.includes(Scope.from_roles(role.name for role in roles)) else None


def _password_of(user: Any) -> str:
    """A value that changes with the password: other sessions of the account end with the old one."""
    return hashlib.sha256((user.password or "").encode()).hexdigest()


def _is_whole() -> bool:
    """Whether a request for chart data names one dataset and holds queries that the pages can send.

    Superset stumbles over others, or works on them for minutes.
    """
    body = request.get_json(silent=True) if request.is_json else _parsed(request.form.get("form_data"))
    if not isinstance(body, dict):
        return False
    source, queries = body.get("datasource"), body.get("queries")
    if not isinstance(source, dict) or source.get("type") != "table" or not str(source.get("id", "")).isdigit():
        return False
    if not isinstance(queries, list) or not all(isinstance(query, dict) for query in queries):
        return False
    if not 0 < len(queries) <= MOST_QUERIES or not isinstance(body.get("form_data") or {}, dict):
        return False
    return is_bounded(queries) and all(_has_bounded_dates(query) and has_names(query) for query in queries)


def has_names(query: dict[str, Any]) -> bool:
    """Whether columns and metrics of a query are names, or objects with one: Superset stumbles over others."""
    for part in ("columns", "groupby", "series_columns", "metrics"):
        values = query.get(part) or []
        if not isinstance(values, list):
            return False
        for value in values:
            if isinstance(value, dict):
                name = value.get("label") or value.get("sqlExpression") or value.get("column")
                is_named = isinstance(name, str) or (part == "metrics" and isinstance(name, dict) and bool(name))
                is_metric = part != "metrics" or value.get("expressionType") in {"SIMPLE", "SQL"}
                if not is_named or not is_metric:
                    return False
            elif not isinstance(value, str):
                return False
    return True


def _has_bounded_dates(query: dict[str, Any]) -> bool:
    """Whether the ranges of dates of a query are ones that a calendar has."""
    filters = query.get("filters")
    ranges = [query.get("time_range"), query.get("time_shift")]
    ranges += [
        one.get("val")
        for one in (filters if isinstance(filters, list) else [])
        if isinstance(one, dict) and str(one.get("op", "")).upper() == "TEMPORAL_RANGE"
    ]
    return all(one is None or (isinstance(one, str) and is_bounded_range(one)) for one in ranges)


def is_bounded_range(text: str) -> bool:
    """Whether a range of dates (``2025-04-01 : now``, ``Last 3 years``) is short and names no number beyond a year."""
    return len(text) <= MOST_RANGE and not _LONG_NUMBER.search(text)


def is_bounded(content: Any) -> bool:
    """Whether parsed JSON holds no more, longer or deeper values than charts and filters ask with."""
    left, waiting = MOST_VALUES, [(content, 0)]
    while waiting:
        value, depth = waiting.pop()
        left -= 1
        if left < 0 or depth > MOST_DEEP:
            return False
        if isinstance(value, dict):
            waiting += [(one, depth + 1) for one in value.values()]
        elif isinstance(value, list):
            waiting += [(one, depth + 1) for one in value]
        elif isinstance(value, str) and (len(value) > MOST_TEXT or sum(map(value.count, "([{")) > MOST_BRACKETS):
            return False
    return True


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text or "")
    except ValueError:
        return None


def parse_networks(text: str | Iterable[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Networks in CIDR notation, separated by commas; this machine if there are none; ValueError for what is none."""
    parts = text.split(",") if isinstance(text, str) else text
    # Without a listed network only this machine is allowed.
    return [ipaddress.ip_network(part.strip()) for part in parts if part.strip()] or LOOPBACK


def is_listed(address: str | None, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    """Whether an address is in one of the networks."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    ip = mapped or ip
    return any(ip.version == network.version and ip in network for network in networks)


def scrub(response: Response) -> Response:
    """Say errors in Japanese, without paths, process ids, stack traces or words of the engine."""
    if request.path == HEALTH_AT:
        return response
    is_error = response.status_code >= 400
    if is_error and _is_foreign_page(response):
        response.direct_passthrough = False
        response.set_data(
            ERROR_PAGE.format(text=STATUS_JA.get(response.status_code, GENERAL_JA), status=response.status_code)
        )
        response.mimetype = "text/html"
        return response
    if response.is_streamed or response.direct_passthrough:
        return response
    if response.status_code >= 500 and (refusal := getattr(g, "kodomo_refusal", None)):
        response.status_code = 400
        response.set_data(json.dumps({"message": refusal}, ensure_ascii=False))
        response.mimetype = "application/json"
        return response
    if response.mimetype == "application/json":
        text = response.get_data(as_text=True)
        if is_error or _MESSAGE.search(text):
            try:
                content = json.loads(text)
            except ValueError:
                return response
            cleaned = _clean(content, response.status_code, is_error)
            if cleaned != content:
                response.set_data(json.dumps(cleaned, ensure_ascii=False))
    elif is_error and (response.status_code >= 500 or response.mimetype == "text/plain"):
        response.set_data(STATUS_JA.get(response.status_code, GENERAL_JA))
        response.mimetype = "text/plain"
    return response


def _is_foreign_page(response: Response) -> bool:
    """Whether a user following a link would read an error of Superset's own; the project's pages show their own."""
    if request.path.startswith(("/api/", "/static/", *_OWN)) or request.method != "GET":
        return False
    wants_page = request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
    return wants_page and response.mimetype in {"text/html", "application/json"}


def _clean(content: Any, status: int, is_message: bool) -> Any:
    if isinstance(content, dict):
        return {
            name: None
            if name in {"stacktrace", "traceback"}
            else _clean(value, status, _tells(name, is_message, status))
            for name, value in content.items()
        }
    if isinstance(content, list):
        return [_clean(value, status, is_message) for value in content]
    if not isinstance(content, str) or not is_message:
        return content
    text = _PREFIX.sub("", content)
    if not text or (_JAPANESE.search(text) and not tells_of_the_machine(text)):
        return text
    return STATUS_JA.get(status, GENERAL_JA)


def _tells(name: str, is_message: bool, status: int) -> bool:
    """Whether what stands under a name is for reading: codes that the page acts on stay as they are."""
    if name in {"error_type", "level", "code", "issue_codes", "extra", "engine_name", "redirect_url"}:
        return False
    return status >= 400 or name in {"error", "errors", "message"} or (is_message and status >= 400)
