"""What analysts may make of their own: charts and dashboards that are theirs alone, on pseudonymous tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from kodomo.home import Home
from tests.security.attacks import SCALARS, metric
from tests.security.conftest import copied
from tests.security.scratch import leaks, tells_of_the_machine
from tests.security.servers import Person, Server, apply

pytestmark = pytest.mark.slow

OWN, SHARED, STRANGE = "bi_child__analyst", "bi_model_performance", "bi_child"
COUNT = {"expressionType": "SIMPLE", "aggregate": "COUNT", "column": {"column_name": "person_id"}, "label": "人数"}
"""A simple aggregate, as the browser sends it."""
NAMES = {"display_name", "kana", "child_label", "birth_on", "household_id"}


def chart_body(server: Server, table: str = OWN, *, context: bool = True, **query: Any) -> dict[str, Any]:
    """What the page sends to save a chart."""
    source = {"id": server.datasets()[table], "type": "table"}
    queries = [{"columns": ["tier_label"], "metrics": [COUNT], "row_limit": 1000, **query}]
    return {
        "slice_name": "試し",
        "viz_type": "table",
        "datasource_id": source["id"],
        "datasource_type": "table",
        "params": json.dumps({"viz_type": "table", "datasource": f"{source['id']}__table"}),
        "query_context": json.dumps(
            {"datasource": source, "queries": queries, "result_format": "json", "result_type": "full"}
        )
        if context
        else None,
    }


@pytest.fixture
def analyst(server: Server) -> Person:
    """The demo's analyst."""
    return server.person("analyst_all")


@pytest.fixture
def own_chart(server: Server, analyst: Person) -> Iterator[int]:
    """A chart on a table that the case workers of the overseeing department query too."""
    made = analyst.send(
        "POST", "/api/v1/chart/", json=chart_body(server, SHARED, columns=["model_version"], metrics=[])
    )
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    yield number
    analyst.send("DELETE", f"/api/v1/chart/{number}")


@pytest.fixture
def own_dashboard(analyst: Person) -> Iterator[int]:
    """An empty dashboard of the analyst's."""
    made = analyst.send("POST", "/api/v1/dashboard/", json={"dashboard_title": "試しの板"})
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    yield number
    analyst.send("DELETE", f"/api/v1/dashboard/{number}")


def positions(*charts: int) -> str:
    """The part of a dashboard's metadata that says which charts stand on it."""
    cells = {
        f"CHART-{number}": {"type": "CHART", "id": f"CHART-{number}", "children": [], "meta": {"chartId": number}}
        for number in charts
    }
    return json.dumps({"positions": {"DASHBOARD_VERSION_KEY": "v2", **cells}})


def metadata(server: Server, sql: str, *values: Any) -> list[tuple]:
    """Rows of Superset's metadata."""
    with sqlite3.connect(f"file:{server.home.superset / 'superset.db'}?mode=ro", uri=True) as connection:
        return connection.execute(sql, values).fetchall()


def managed(server: Server, kind: str, table: str | None = None) -> int:
    """The id of a chart (slices) or dashboard that a file describes; a chart's on ``table``."""
    condition = " and datasource_name = ?" if table else ""
    sql = f"select min(id) from {kind} where is_managed_externally = 1{condition}"
    return metadata(server, sql, *([table] if table else []))[0][0]


def stored(server: Server) -> list[tuple]:
    """What may not change: all that files describe, and who owns and reads it."""
    return [
        metadata(server, f"select * from {table} order by 1, 2")
        for table in ("slice_user", "dashboard_user", "dashboard_roles")
    ] + [
        metadata(server, f"select * from {table} where is_managed_externally = 1 order by id")
        for table in ("slices", "dashboards", "tables")
    ]


def test_analyst_makes_a_chart_and_a_dashboard_and_changes_them(server: Server, analyst: Person) -> None:
    chart = analyst.send("POST", "/api/v1/chart/", json=chart_body(server)).json()["id"]
    board = analyst.send("POST", "/api/v1/dashboard/", json={"dashboard_title": "板"}).json()["id"]
    of_a_file = managed(server, "slices", OWN)
    placed = {"json_metadata": positions(chart, of_a_file)}
    assert analyst.send("PUT", f"/api/v1/dashboard/{board}", json=placed).status_code == 200
    assert analyst.send("PUT", f"/api/v1/chart/{chart}", json={"slice_name": "別の名前"}).status_code == 200
    answer = analyst.get(f"/api/v1/chart/{chart}/data/")
    counted = {row["tier_label"]: row["人数"] for row in answer.json()["result"][0]["data"]}
    asked = analyst.rows(OWN, columns=["tier_label", "person_id"])
    assert counted == {tier: sum(row["tier_label"] == tier for row in asked) for tier in counted}
    assert sum(counted.values()) == len(asked) > 0
    assert {row["id"] for row in analyst.get(f"/api/v1/dashboard/{board}/charts").json()["result"]} == {
        chart,
        of_a_file,
    }
    for path in (f"/explore/?slice_id={chart}", f"/api/v1/explore/?slice_id={chart}", "/chart/add"):
        assert analyst.get(path).status_code == 200
    for path in (f"/api/v1/dashboard/{board}", f"/api/v1/chart/{chart}"):
        assert analyst.send("DELETE", path).status_code == 200


def test_own_chart_is_seen_by_its_author_only(
    server: Server, analyst: Person, own_chart: int, own_dashboard: int
) -> None:
    analyst.send("PUT", f"/api/v1/dashboard/{own_dashboard}", json={"json_metadata": positions(own_chart)})
    wanted = {("chart", own_chart), ("dashboard", own_dashboard)}
    query = "?q=(page_size:1000)"
    # One is an analyst too.
    for username in ("analyst_all", "child_all", "executive_all", "admin", "steward_child"):
        person = server.person(username)
        listed = {
            (kind, row["id"])
            for kind in ("chart", "dashboard")
            for row in person.get(f"/api/v1/{kind}/{query}").json()["result"]
        }
        assert (listed & wanted) == (wanted if username == "analyst_all" else set()), username
        if username == "analyst_all":
            continue
        for method, path in (
            ("GET", f"/api/v1/chart/{own_chart}"),
            ("GET", f"/api/v1/chart/{own_chart}/data/"),
            ("GET", f"/api/v1/dashboard/{own_dashboard}"),
            ("GET", f"/api/v1/dashboard/{own_dashboard}/charts"),
            ("GET", f"/api/v1/dashboard/{own_dashboard}/datasets"),
            ("GET", f"/api/v1/dashboard/{own_dashboard}/tabs"),
            ("GET", f"/superset/dashboard/{own_dashboard}/"),
            ("GET", f"/api/v1/explore/?slice_id={own_chart}"),
            ("POST", f"/api/v1/chart/{own_chart}/favorites/"),
            ("POST", f"/api/v1/dashboard/{own_dashboard}/favorites/"),
            ("POST", f"/api/v1/dashboard/{own_dashboard}/filter_state"),
            ("PUT", f"/api/v1/chart/{own_chart}"),
            ("DELETE", f"/api/v1/chart/{own_chart}"),
            ("DELETE", f"/api/v1/dashboard/{own_dashboard}"),
        ):
            answer = person.send(method, path, **({} if method == "GET" else {"json": {"value": "{}"}}))
            # Explore shows an empty chart instead of one that is not there.
            is_refused = answer.status_code >= 300 or "/explore/" in path
            assert is_refused, (username, method, path, answer.status_code)
            assert "試し" not in answer.text, (username, path)


def test_an_analyst_with_other_duties_makes_charts_on_tables_without_names_only(server: Server) -> None:
    person = server.person("child_all")
    assert person.rows(STRANGE, columns=["display_name"], row_limit=1)
    before = server.ids("slices")
    for table in (STRANGE, "bi_trend", "bi_delivery"):
        assert person.send("POST", "/api/v1/chart/", json=chart_body(server, table)).status_code == 400, table
    assert server.ids("slices") == before


def test_nobody_else_may_make_any(server: Server) -> None:
    before = stored(server), server.ids("slices"), server.ids("dashboards")
    for username in ("child_all_nodv", "executive_all", "steward_child", "approver_all", "admin", "partner"):
        person = server.person(username)
        for path, body in (
            ("/api/v1/chart/", chart_body(server, SHARED)),
            ("/api/v1/dashboard/", {"dashboard_title": "x"}),
            ("/api/v1/explore/form_data", {"datasource_id": 1, "datasource_type": "table", "form_data": "{}"}),
        ):
            assert person.send("POST", path, json=body).status_code == 403, (username, path)
        assert person.get("/explore/?datasource_id=1&datasource_type=table").status_code in {302, 403}
    assert (stored(server), server.ids("slices"), server.ids("dashboards")) == before


def attempts(server: Server, analyst: Person, chart: int, board: int) -> Iterator[tuple[str, str, Any, Any]]:
    """What an analyst may not do, with method, address, body and files."""
    other = metadata(server, "select id from ab_user where username = 'child_all'")[0][0]
    role = metadata(server, "select id from ab_role where name = 'view_child'")[0][0]
    own_role = metadata(server, "select id from ab_role where name = 'view_analyst'")[0][0]
    managed_chart, strange = managed(server, "slices", OWN), managed(server, "slices", STRANGE)
    managed_board = analyst.get("/api/v1/dashboard/?q=(filters:!((col:published,opr:eq,value:!t)))").json()["result"][
        0
    ]["id"]
    new = chart_body(server)
    for change in (
        {"owners": [other]},
        {"is_managed_externally": True},
        {"external_url": "https://example.invalid/"},
        {"datasource_type": "query"},
        {"datasource_id": server.datasets()[STRANGE]},
        {"datasource_id": server.datasets()["bi_audit"]},
        {"datasource_id": server.datasets()["bi_delivery"]},
        {"datasource_id": 99_999},
        {"dashboards": [managed_board]},
        {"uuid": metadata(server, "select lower(hex(uuid)) from slices where id = ?", managed_chart)[0][0]},
    ):
        yield "POST", "/api/v1/chart/", {**new, **change}, None
        if "uuid" not in change:
            yield "PUT", f"/api/v1/chart/{chart}", {"datasource_type": "table", **change}, None
    for change in (
        {"published": True},
        {"owners": [other]},
        {"roles": [role]},
        {"roles": [own_role]},
        {"slug": "overview-next"},
        {"is_managed_externally": True},
        {"external_url": "https://example.invalid/"},
        {"json_metadata": positions(strange)},
    ):
        if "json_metadata" not in change:
            yield "POST", "/api/v1/dashboard/", {"dashboard_title": "x", **change}, None
        yield "PUT", f"/api/v1/dashboard/{board}", change, None
    for number in (managed_chart, strange):
        for change in (
            {"slice_name": "x"},
            {"owners": [other]},
            {"query_context": "{}", "query_context_generation": True},
            {"dashboards": [board]},
            {"is_managed_externally": False},
        ):
            yield "PUT", f"/api/v1/chart/{number}", change, None
        yield "DELETE", f"/api/v1/chart/{number}", None, None
        yield "DELETE", f"/api/v1/chart/?q=!({number})", None, None
        yield "GET", f"/api/v1/chart/export/?q=!({number})", None, None
        yield "PUT", "/api/v1/chart/warm_up_cache", {"chart_id": number}, None
    for path, body in (
        ("", {"dashboard_title": "x"}),
        ("", {"published": False}),
        ("/filters", {"modified": [], "deleted": [], "reordered": []}),
        ("/chart_customizations", {"modified": [], "deleted": [], "reordered": []}),
        ("/colors", {"color_scheme": "x"}),
    ):
        yield "PUT", f"/api/v1/dashboard/{managed_board}{path}", body, None
    yield "DELETE", f"/api/v1/dashboard/{managed_board}", None, None
    copy = {"dashboard_title": "x", "json_metadata": positions(managed_chart), "duplicate_slices": True}
    yield "POST", f"/api/v1/dashboard/{managed_board}/copy/", copy, None
    for number in (board, managed_board):
        yield "POST", f"/api/v1/dashboard/{number}/permalink", {"dataMask": {}, "activeTabs": []}, None
        yield "POST", f"/api/v1/dashboard/{number}/embedded", {"allowed_domains": []}, None
        yield "GET", f"/api/v1/dashboard/export/?q=!({number})", None, None
        yield "GET", f"/api/v1/dashboard/{number}/export_as_example/", None, None
        yield "POST", f"/api/v1/dashboard/{number}/cache_dashboard_screenshot/", {}, None
    link = {"formData": {"datasource": f"{server.datasets()[OWN]}__table"}, "urlParams": []}
    yield "POST", "/api/v1/explore/permalink", link, None
    report = {"type": "Report", "name": "x", "crontab": "0 9 * * *", "chart": chart, "recipients": []}
    yield "POST", "/api/v1/report/", report, None
    for kind in ("chart", "dashboard", "dataset"):
        bundle = {"formData": ("x.zip", b"PK\x05\x06" + b"\0" * 18), "overwrite": (None, "true")}
        yield "POST", f"/api/v1/{kind}/import/", None, bundle
    virtual = {"database": 1, "schema": "main", "table_name": "mine", "sql": "select * from bi_child__analyst"}
    yield "POST", "/api/v1/dataset/", virtual, None
    yield "POST", "/api/v1/sqllab/execute/", {"database_id": 1, "sql": "select 1", "client_id": "a"}, None
    form = {"datasource_id": server.datasets()[STRANGE], "datasource_type": "table", "form_data": "{}"}
    yield "POST", "/api/v1/explore/form_data", form, None
    yield "GET", f"/api/v1/explore/?datasource_id={server.datasets()[STRANGE]}&datasource_type=table", None, None
    yield "GET", f"/api/v1/explore/?slice_id={strange}", None, None


def test_publishing_sharing_and_changing_what_is_not_own_is_refused(
    server: Server, analyst: Person, own_chart: int, own_dashboard: int
) -> None:
    before = stored(server), server.ids("slices"), server.ids("dashboards")
    failures = []
    for method, path, body, files in attempts(server, analyst, own_chart, own_dashboard):
        arguments = {"json": body} if body is not None else {"files": files} if files else {}
        answer = analyst.send(method, path, **arguments)
        seen = [*leaks(answer.text, analyst.seen), *tells_of_the_machine(answer.text, server.home.root)]
        if not 400 <= answer.status_code < 500 or seen:
            failures.append(f"{method} {path} {json.dumps(body)[:160]}: {answer.status_code} {seen[:2]}")
    assert not failures, "\n".join(failures)
    after = stored(server), server.ids("slices"), server.ids("dashboards")
    assert after == before


FREE = SCALARS[0]


@pytest.mark.parametrize(
    "query",
    [
        {"metrics": [metric(FREE)]},
        {"metrics": [metric("max(person_id)")]},
        {"columns": [{"expressionType": "SQL", "sqlExpression": FREE, "label": "c"}]},
        {"columns": [{"expressionType": "SQL", "sqlExpression": "upper(tier_label)", "label": "c"}]},
        {"filters": [{"col": FREE, "op": "IS NOT NULL"}]},
        {"filters": [{"col": {"sqlExpression": FREE, "label": "c", "expressionType": "SQL"}, "op": "IS NOT NULL"}]},
        {"extras": {"where": "1 = 1"}},
        {"extras": {"where": "{{ current_username() }} = ''"}},
        {"extras": {"having": "count(*) > 0"}},
        {"orderby": [[metric(FREE), True]]},
        {"series_limit": 5, "series_limit_metric": metric(FREE)},
        {"annotation_layers": [{"annotationType": "EVENT", "sourceType": "table", "value": 1, "name": "x"}]},
    ],
    ids=lambda query: next(iter(query)),
)
def test_free_sql_in_a_saved_chart_is_not_run(server: Server, analyst: Person, query: dict[str, Any]) -> None:
    chart = analyst.send("POST", "/api/v1/chart/", json=chart_body(server, **query)).json()["id"]
    try:
        answers = [analyst.get(f"/api/v1/chart/{chart}/data/"), analyst.ask(server.datasets()[OWN], **query)]
        assert [400 <= answer.status_code < 500 for answer in answers] == [True, True], answers[0].text[:300]
    finally:
        analyst.send("DELETE", f"/api/v1/chart/{chart}")


def test_analyst_table_has_no_name_and_no_place_of_a_protected_child(server: Server, analyst: Person) -> None:
    offered = analyst.get(f"/api/v1/dataset/{server.datasets()[OWN]}").json()["result"]["columns"]
    assert not {column["column_name"] for column in offered} & NAMES
    chart = chart_body(
        server, columns=["area_name"], filters=[{"col": "is_dv_protected", "op": "IS TRUE"}], metrics=[COUNT]
    )
    number = analyst.send("POST", "/api/v1/chart/", json=chart).json()["id"]
    try:
        answer: requests.Response = analyst.get(f"/api/v1/chart/{number}/data/")
        rows = answer.json()["result"][0]["data"]
        assert [row["area_name"] for row in rows] == [None]
        assert rows[0]["人数"] > 0
        assert not leaks(answer.text, analyst.seen)
    finally:
        analyst.send("DELETE", f"/api/v1/chart/{number}")


def test_apply_keeps_own_charts_and_deletes_those_of_leavers(
    server: Server, own_chart: int, own_dashboard: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home: Home = copied(server.home, tmp_path_factory)
    count = "select count(*) from slices where id = ?", "select count(*) from dashboards where id = ?"

    def remaining() -> list[int]:
        with sqlite3.connect(home.superset / "superset.db") as connection:
            return [
                connection.execute(sql, [number]).fetchone()[0]
                for sql, number in zip(count, (own_chart, own_dashboard), strict=True)
            ]

    text = home.staff.read_text(encoding="utf-8")
    assert apply(home, "--verbose").count("own") == 0
    assert remaining() == [1, 1]
    home.staff.write_text(
        "".join(x for x in text.splitlines(True) if not x.startswith("analyst_all,")), encoding="utf-8"
    )
    printed = apply(home, "--verbose")
    assert "account analyst_all: own dashboards deleted (1)" in printed
    assert "account analyst_all: own charts deleted (1)" in printed
    assert remaining() == [0, 0]
