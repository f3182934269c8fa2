"""Every address that Superset has, as it registers them: which of them answer whom."""

from __future__ import annotations

import re

import pytest

from kodomo.home import Home
from tests.security.scratch import leaks, tells_of_the_machine
from tests.security.servers import Server, routes_of

pytestmark = pytest.mark.slow

# What stands for a part of an address.
PARTS = {
    "column_name": "owners", "datasource_type": "table", "locale": "ja", "lang": "ja", "table_name": "bi_child",
    "schema_name": "main", "key": "x", "uuid": "00000000-0000-0000-0000-000000000001", "name": "x", "digest": "x",
}  # fmt: skip
# What says nothing of anybody: pages of the browser's program, whether it is up, words, one's own account.
PLAIN = {
    "GET /", "GET /back", "GET /health", "GET /healthcheck", "GET /ping", "GET /version",
    "GET /superset/welcome/", "GET /superset/language_pack/<lang>/", "POST /superset/log/",
    "GET /dashboard/list/", "GET /chart/list/", "GET /dataset/add/", "GET /dataset/<pk>", "GET /tablemodelview/list/",
    "GET /register/", "GET /register/activation/<string:activation_hash>", "GET /login/", "POST /login/",
    "GET /login/logout/", "GET /logout/", "GET /lang/<string:locale>", "GET /users/userinfo/",
    "GET /user_info/", "GET /resetmypassword/form", "POST /resetmypassword/form", "GET /static/<path:filename>",
    "GET /static/appbuilder/<path:filename>", "GET /api/v1/menu/", "GET /api/v1/me/", "GET /api/v1/me/roles/",
    "GET /api/v1/available_domains/", "GET /api/v1/security/csrf_token/", "GET /api/v1/log/recent_activity/",
    "GET /api/v1/user/<int:user_id>/avatar.png", "GET /api/v1/time_range/",
    # Refused there, by the page before it.
    "GET /groups/action/<string:name>/<pk>", "GET /roles/action/<string:name>/<pk>",
    "GET /users/action/<string:name>/<pk>", "GET /dynamic-plugins/action/<string:name>/<pk>",
}  # fmt: skip
# Dashboards, charts and datasets: those of the account's audience, and oneself among their owners.
ASSETS = {
    *(f"GET /api/v1/{kind}/{rest}" for kind in ("chart", "dashboard", "dataset")
      for rest in ("", "_info", "related/<column_name>", "<id_or_uuid>", "favorite_status/")),
    "GET /api/v1/dashboard/<id_or_slug>", "GET /api/v1/dashboard/<id_or_slug>/charts",
    "GET /api/v1/dashboard/<id_or_slug>/datasets", "GET /api/v1/dashboard/<id_or_slug>/tabs",
    "POST /api/v1/dashboard/<int:pk>/filter_state", "GET /superset/dashboard/<dashboard_id_or_slug>/",
    "POST /api/v1/chart/<pk>/favorites/", "DELETE /api/v1/chart/<pk>/favorites/",
    "POST /api/v1/dashboard/<pk>/favorites/", "DELETE /api/v1/dashboard/<pk>/favorites/",
    "GET /api/v1/dataset/<id_or_uuid>/related_objects", "GET /api/v1/dataset/<int:pk>/drill_info/",
    "GET /api/v1/dataset/distinct/<column_name>", "GET /api/v1/chart/<int:pk>/data/",
}  # fmt: skip
# To make charts of one's own; what may be saved is in test_own_charts.py.
EXPLORING = {
    "GET /chart/add", "GET /dashboard/new/", "POST /api/v1/dashboard/", "GET /explore/", "GET /api/v1/explore/",
    "GET /superset/explore/p/<key>/",
}  # fmt: skip
ADMINISTRATION = {
    "GET /users/list/", "GET /users/show/<pk>",
    "GET /api/v1/security/users/", "GET /api/v1/security/users/<int:pk>", "GET /api/v1/security/users/_info",
}  # fmt: skip
MAY = {
    "newcomer": PLAIN | ASSETS,
    "partner": PLAIN | ASSETS,
    "child_ryotsu": PLAIN | ASSETS,
    "steward_health": PLAIN | ASSETS,
    "analyst_all": PLAIN | ASSETS | EXPLORING,
    "admin": PLAIN | ASSETS | ADMINISTRATION,
}
# These have tests of their own, or end the session.
ELSEWHERE = ("/entry/", "/kodomo/", "/logout/", "/login/", "/data-docs/")


@pytest.fixture(scope="module")
def routes(scratch_home: Home) -> list[tuple[str, str]]:
    """Method and rule of every address."""
    return routes_of(scratch_home)


def address(rule: str) -> str:
    """An address of a rule, about the first of whatever it is about."""

    def part(match: re.Match) -> str:
        kind, _, name = match.group(1).rpartition(":")
        return PARTS["uuid"] if kind == "uuid" else PARTS.get(name, "1")

    return re.sub(r"<([^>]+)>", part, rule)


def test_the_list_is_that_of_superset(routes: list[tuple[str, str]]) -> None:
    assert len(routes) > 400
    assert {f"{method} {rule}" for method, rule in routes} >= ADMINISTRATION


@pytest.mark.parametrize("username", list(MAY))
def test_an_account_reaches_what_is_listed_and_nothing_else(
    server: Server, routes: list[tuple[str, str]], username: str
) -> None:
    person = server.person(username)
    failures = []
    for method, rule in routes:
        if rule.startswith(ELSEWHERE):
            continue
        arguments = {} if method == "GET" else {"json": {}}
        answer = person.send(method, address(rule), **arguments)
        if answer.status_code < 400 and f"{method} {rule}" not in MAY[username]:
            failures.append(f"{method} {rule}: {answer.status_code}")
        seen = [*leaks(answer.text, person.seen), *tells_of_the_machine(answer.text, server.home.root)]
        failures += [f"{method} {rule}: {item}" for item in seen[:3]]
    assert not failures, "\n".join(failures)
    assert person.get("/api/v1/me/").status_code == 200
