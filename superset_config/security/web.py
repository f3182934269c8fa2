"""What every request passes: listed networks, sessions that end, Japanese, and answers that tell nothing about the
machine."""

from __future__ import annotations

import ipaddress
import json
import re
import time
from collections.abc import Iterable
from typing import Any

from flask import Flask, Response, request, session
from flask_login import current_user, logout_user, user_logged_in

from superset_config.security.files import tells_of_the_machine

GENERAL_JA = "処理できませんでした。入力を確認し、続く場合は管理者に連絡してください。"
NETWORK_JA = "このネットワークからは利用できません。"
_SIGNED_IN = "kodomo_signed_in_at"
_SEEN = "kodomo_seen_at"
_ENGINE_PREFIX = re.compile(r"(?i)duckdb error: ?")
# The page asks for these by itself; they do not show that somebody is there.
_QUIET = ("/static/", "/health", "/ping")


def install(app: Flask) -> None:
    """Put the checks before and after every request of Superset."""
    networks = parse_networks(app.config["KODOMO_NETWORKS"])

    @app.before_request
    def only_listed_networks() -> Response | None:
        if networks and not is_listed(request.remote_addr, networks):
            return Response(NETWORK_JA, 403, mimetype="text/plain; charset=utf-8")
        return None

    @app.before_request
    def japanese() -> None:
        if not request.path.startswith(_QUIET) and session.get("locale") != "ja":
            session["locale"] = "ja"

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
        ):
            logout_user()
            session.clear()
            return
        # Written once in a while, not at each of a dashboard's twenty requests.
        if now - seen > min(30, app.config["KODOMO_IDLE_SECONDS"] / 4):
            session[_SEEN] = now

    @user_logged_in.connect_via(app)
    def signed_in(_sender: Any, **_kwargs: Any) -> None:
        # A new id, so that one planted before log-in is worth nothing.
        regenerate = getattr(app.session_interface, "regenerate", None)
        if regenerate is not None:
            regenerate(session)
        session.permanent = True
        session[_SIGNED_IN] = session[_SEEN] = time.time()

    app.after_request(scrub)


def parse_networks(text: str | Iterable[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Networks in CIDR notation, separated by commas; ValueError for what is none."""
    parts = text.split(",") if isinstance(text, str) else text
    return [ipaddress.ip_network(part.strip()) for part in parts if part.strip()]


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
    """Take paths, process ids and stack traces out of an answer, and Superset's name for the engine."""
    if response.is_streamed or response.direct_passthrough:
        return response
    if response.mimetype == "application/json":
        text = response.get_data(as_text=True)
        if response.status_code >= 400 or '"error"' in text or '"errors"' in text:
            try:
                content = json.loads(text)
            except ValueError:
                return response
            cleaned = _clean(content, response.status_code >= 400)
            if cleaned != content:
                response.set_data(json.dumps(cleaned, ensure_ascii=False))
    elif response.status_code >= 500:
        response.set_data(GENERAL_JA)
        response.mimetype = "text/plain"
    return response


def _clean(content: Any, is_error: bool, key: str = "") -> Any:
    if isinstance(content, dict):
        return {name: _clean(value, is_error, name) for name, value in content.items()}
    if isinstance(content, list):
        return [_clean(value, is_error, key) for value in content]
    if not isinstance(content, str):
        return content
    if key in {"stacktrace", "traceback"}:
        return None
    if key in {"message", "error", "msg", "errors", "description"} or is_error:
        text = _ENGINE_PREFIX.sub("", content)
        return GENERAL_JA if tells_of_the_machine(text) else text
    return content
