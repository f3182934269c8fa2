"""The list of attacks: requests that a logged-in account may try. Each is a name, a method, a path and a body."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from urllib.parse import quote

from kodomo.access.access import read_access
from superset_config.asset_files import read_assets
from superset_config.pages.base import url_of
from tests.security.scratch import CHILDREN
from tests.security.servers import Person, Server

# SQL that goes beyond a scope where it is executed unchecked. {t} is a table that the person may query.
SCALARS = [
    "(select string_agg(display_name, ',') from bi_child)",
    "(select string_agg(display_name, ',') from main.bi_child)",
    '(select string_agg("DISPLAY_NAME", \',\') from "BI_CHILD")',
    "(select string_agg(display_name, ',') from everything.main.bi_child)",
    "(select string_agg(display_name, ',') from everything.bi_child)",
    "(select max(total_score) from bi_child)",
    "(select count(*) from bi_child where is_dv_protected)",
    "(select string_agg(c::varchar, ',') from (summarize bi_child) c)",
    "(select string_agg(c::varchar, ',') from (describe bi_child) c)",
    "(select string_agg(c::varchar, ',') from (show all tables) c)",
    "(select string_agg(c::varchar, ',') from (pivot bi_child on area_code using count(*)) c)",
    "(select string_agg(c::varchar, ',') from query('from bi_child') c)",
    "(select string_agg(c::varchar, ',') from query_table('bi_child') c)",
    "(select string_agg(c::varchar, ',') from query_table(['bi_child', 'bi_child']) c)",
    "(select string_agg(sql, ',') from duckdb_tables())",
    "(select string_agg(path, ',') from duckdb_databases())",
    "(select string_agg(name || value, ',') from duckdb_settings())",
    "(select string_agg(table_name, ',') from information_schema.tables)",
    "(select string_agg(relname, ',') from pg_catalog.pg_class)",
    "(select content from read_text('/etc/passwd'))",
    "(select string_agg(file, ',') from glob('/etc/*'))",
    "(select string_agg(c::varchar, ',') from read_csv('/etc/passwd') c)",
    "(select string_agg(c::varchar, ',') from '/etc/passwd' c)",
    "(select string_agg(c::varchar, ',') from sniff_csv('/etc/passwd') c)",
    "(select string_agg(c::varchar, ',') from pragma_database_list() c)",
    "getenv('HOME')",
    "current_setting('memory_limit')",
    "current_database()",
    "version()",
    "current_query()",
    "txid_current()",
    "(with x as (from bi_child) select string_agg(display_name, ',') from x)",
    "(select string_agg(display_name, ',') from (from bi_child union all by name from bi_child))",
    "(select string_agg(display_name, ',') from (from bi_child except select * from bi_child where false))",
    "(select string_agg(c::varchar, ',') from (unpivot bi_child on columns('display_name')) c)",
    "(select string_agg(display_name, ',') from bi_child tablesample 100%)",
    "(select string_agg(display_name, ',') from bi_child at (version => 1))",
    "(select array_agg(columns(*))::varchar from bi_child)",
    "list_transform([1], lambda x: x)",
    "(select string_agg(display_name, ',') from bi_child) over ()",
    "count(*)) from bi_child --",
    "count(*); drop table bi_child; --",
    "count(*) from bi_child; attach 'x.duckdb'",
    "(select string_agg(display_name, ',') from bi_child__guidance_centre)",
    "(select string_agg(display_name, ',') from \"bi_child__health\")",
    "(select string_agg(display_name, ',') from BI_CHILD__EDUCATION)",
    "(select string_agg(person_id, ',') from bi_child__analyst)",
    "(select string_agg(holder, ',') from bi_delivery)",
]
CONDITIONS = [
    "1 = 1) or (1 = 1",
    "1 = 1 or 1 = 1",
    "1 = 1 --",
    "1 = 1) --",
    "1 = 1) or true --",
    "1 = 1) union all select * from bi_child --",
    "1 = 1) union all by name from bi_child --",
    "1 = 1) union all from bi_child__guidance_centre --",
    "1 = 1); copy bi_child to 'x.csv'; --",
    "exists (select 1 from bi_child where display_name like 'display_name:P00%')",
    "person_id in (select person_id from main.bi_child)",
    "(select count(*) from duckdb_tables()) > 0",
    "(select length(content) from read_text('/etc/passwd')) > 0",
    "is_dv_protected or not is_dv_protected",
    "protection = 'full'",
    "departments like '%'",
    "/* */ 1 = 1 /* */) or (/* */ 1 = 1",
    "1 = 1\x00) or (1 = 1",
    "１＝１",
    "{{ 1 }} = 1",
    "{{ current_username() }} = ''",
    "{% if true %} 1 = 1 {% endif %}",
    "{{ dataset(1) }}",
    "{{ metric('children') }} > 0",
    "{{ filter_values('area_code') }}",
]
STATEMENTS = [
    "select * from bi_child",
    "from bi_child",
    "summarize bi_child",
    "describe bi_child",
    "show tables",
    "pivot bi_child on area_code",
    "select * from everything.main.bi_child",
    "select * from query('from bi_child')",
    "select * from duckdb_settings()",
    "select * from read_text('/etc/passwd')",
    "set enable_external_access = true",
    "attach 'everything.duckdb' as e",
    "pragma database_list",
    "copy bi_child to '/tmp/x.csv'",
    "explain analyze select * from bi_child",
    "call pragma_version()",
    "install httpfs",
    "load httpfs",
    "export database '/tmp/x'",
    "create table x as from bi_child",
    "with c as (from bi_child) from c",
    "select 1; select * from bi_child",
    "prepare p as from bi_child",
    "select getenv('HOME')",
]


@dataclass(frozen=True)
class Attack:
    """One request."""

    name: str
    method: str
    path: str
    body: Any = None
    files: Any = None
    form: dict[str, str] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    with_token: bool = True

    def send(self, person: Person) -> Any:
        """Try it."""
        arguments: dict[str, Any] = {}
        if self.body is not None:
            arguments["json"] = self.body
        if self.files is not None:
            arguments["files"] = self.files
        if self.form is not None:
            arguments["data"] = self.form
        if self.with_token and self.method != "GET":
            return person.send(self.method, self.path, headers=dict(self.headers), **arguments)
        return person.http.request(
            self.method,
            f"{person.server.address}{self.path}",
            headers=self.headers,
            timeout=60,
            allow_redirects=False,
            **arguments,
        )


def chart(dataset: int, name: str, result_type: str = "full", result_format: str = "json", **query: Any) -> Attack:
    """A request for chart data."""
    body = {
        "datasource": {"id": dataset, "type": "table"},
        "queries": [{"columns": [], "metrics": [], "row_limit": 5000, **query}],
        "result_format": result_format,
        "result_type": result_type,
        "form_data": {"viz_type": "table"},
    }
    return Attack(name, "POST", "/api/v1/chart/data", body)


def metric(sql: str) -> dict[str, Any]:
    """A metric in SQL."""
    return {"expressionType": "SQL", "sqlExpression": sql, "label": "m"}


def attacks(server: Server, own: str) -> Iterator[Attack]:
    """All attacks on a server. ``own``: a table that the person may query, or any if there is none."""
    datasets = server.datasets()
    target = datasets[own]
    column = "tier_label" if own.startswith(("bi_child", "bi_trend")) else "reason_label"
    for table, number in datasets.items():
        yield chart(number, f"samples of {table}", "samples")
        yield chart(number, f"details of {table}", "drill_detail")
        yield chart(number, f"every row of {table}", columns=_columns()[table])
    for sql in SCALARS:
        yield chart(target, f"metric {sql}", metrics=[metric(sql)])
        yield chart(target, f"column {sql}", columns=[{"expressionType": "SQL", "sqlExpression": sql, "label": "c"}])
    for sql in CONDITIONS:
        yield chart(target, f"where {sql}", columns=[column], extras={"where": sql})
        yield chart(target, f"having {sql}", columns=[column], metrics=["children"], extras={"having": sql})
        yield chart(target, f"filter column {sql}", columns=[column], filters=[_filter(sql, "IS NOT NULL")])
        yield chart(
            target, f"filter value {sql}", columns=[column], filters=[_filter(column, "IN", [sql, f"x') or ({sql}"])]
        )
    for sql in SCALARS[:8]:
        yield chart(target, f"order by {sql}", columns=[column], orderby=[[metric(sql), True]])
        yield chart(target, f"limit by {sql}", columns=[column], series_limit=5, series_limit_metric=metric(sql))
        yield chart(target, f"named column {sql}", columns=[sql])
        yield chart(
            target, f"granularity {sql}", columns=[column], granularity=sql, time_range="2000-01-01 : 2030-01-01"
        )
    yield chart(target, "operator", columns=[column], filters=[_filter(column, "= '' or 1=1 or ''=", "x")])
    yield chart(
        target,
        "aggregate",
        metrics=[
            {"expressionType": "SIMPLE", "aggregate": "LIST", "column": {"column_name": "display_name"}, "label": "m"}
        ],
    )
    yield chart(
        target,
        "column that the dataset lacks",
        metrics=[
            {"expressionType": "SIMPLE", "aggregate": "MAX", "column": {"column_name": "departments"}, "label": "m"}
        ],
    )
    for name, template in (("max", "max(display_name)"), ("min", "min(person_id)"), ("sum", "sum(total_score)")):
        yield chart(target, f"adhoc {name}", metrics=[metric(template)])
    yield from _statements(datasets, target)
    yield from _exports(server, target, column)
    yield from _pages(server, datasets, target)
    yield from _changes(datasets, target)
    yield from entry_attacks([child.name for child in CHILDREN[:: len(CHILDREN) // 3]])


@cache
def _columns() -> dict[str, list[str]]:
    models = read_assets().models
    return {
        table.name: [name for name in models[table.source] if name not in table.grant.without]
        for table in read_access().published_tables()
        if table.source in models
    }


def _filter(column: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"col": column, "op": operator, "val": value}


def _statements(datasets: dict[str, int], target: int) -> Iterator[Attack]:
    for sql in STATEMENTS:
        body = {
            "database_id": 1,
            "sql": sql,
            "client_id": "abc",
            "runAsync": False,
            "schema": "main",
            "queryLimit": 100,
        }
        yield Attack(f"SQL Lab {sql}", "POST", "/api/v1/sqllab/execute/", body)
        virtual = {"database": 1, "schema": "main", "table_name": f"v{abs(hash(sql))}", "sql": sql}
        yield Attack(f"virtual dataset {sql}", "POST", "/api/v1/dataset/", virtual)
    yield Attack("estimate", "POST", "/api/v1/sqllab/estimate/", {"database_id": 1, "sql": "from bi_child"})
    yield Attack("format", "POST", "/api/v1/sqllab/format_sql/", {"sql": "from bi_child"})
    yield Attack("SQL Lab's state", "GET", "/api/v1/sqllab/")
    yield Attack("SQL Lab's export", "GET", "/api/v1/sqllab/export/abc/")
    yield Attack(
        "SQL Lab's stream", "POST", "/api/v1/sqllab/export_streaming/", {"sql": "from bi_child", "database_id": 1}
    )
    yield Attack("SQL Lab's results", "GET", "/api/v1/sqllab/results/?q=(key:'abc')")
    yield Attack("validate SQL", "POST", "/api/v1/database/1/validate_sql/", {"sql": "from bi_child", "schema": "main"})
    yield Attack(
        "physical dataset", "POST", "/api/v1/dataset/", {"database": 1, "schema": "main", "table_name": "bi_child"}
    )
    yield Attack(
        "catalogue dataset",
        "POST",
        "/api/v1/dataset/",
        {"database": 1, "catalog": "everything", "schema": "main", "table_name": "bi_child"},
    )
    yield Attack(
        "dataset get or create",
        "POST",
        "/api/v1/dataset/get_or_create/",
        {"database_id": 1, "table_name": "bi_child", "schema": "main"},
    )
    yield Attack("dataset copy", "POST", "/api/v1/dataset/duplicate", {"base_model_id": target, "table_name": "copy"})
    expression = {"expression": "(select string_agg(display_name, ',') from bi_child)", "expression_type": "metric"}
    yield Attack("validate expression", "POST", f"/api/v1/datasource/table/{target}/validate_expression/", expression)


def _exports(server: Server, target: int, column: str) -> Iterator[Attack]:
    for form in ("csv", "xlsx"):
        yield chart(target, f"{form} of own", result_format=form, columns=[column])
        yield chart(target, f"{form} of free SQL", result_format=form, metrics=[metric(SCALARS[0])])
        for table in ("bi_child", "bi_child__guidance_centre", "bi_contribution", "bi_child__health"):
            yield chart(server.datasets()[table], f"{form} of {table}", result_format=form, columns=_columns()[table])
    yield Attack("dashboard export", "GET", f"/api/v1/dashboard/export/?q=!({server.ids('dashboards')[0]})")
    yield Attack("dashboard example", "GET", f"/api/v1/dashboard/{server.ids('dashboards')[0]}/export_as_example/")
    yield Attack("chart export", "GET", f"/api/v1/chart/export/?q=!({server.ids('slices')[0]})")
    yield Attack("dataset export", "GET", f"/api/v1/dataset/export/?q=!({target})")
    yield Attack("database export", "GET", "/api/v1/database/export/?q=!(1)")
    yield Attack("assets export", "GET", "/api/v1/assets/export/")
    yield Attack("themes export", "GET", "/api/v1/theme/export/?q=!(1)")
    for number in server.ids("slices")[:: max(1, len(server.ids("slices")) // 12)]:
        yield Attack(f"data of chart {number}", "GET", f"/api/v1/chart/{number}/data/")
        yield Attack(f"csv of chart {number}", "GET", f"/api/v1/chart/{number}/data/?format=csv")


def _pages(server: Server, datasets: dict[str, int], target: int) -> Iterator[Attack]:
    for table in ("bi_child", "bi_child__education", "bi_contribution", "bi_delivery"):
        number = datasets[table]
        form = {"datasource_id": number, "datasource_type": "table"}
        yield Attack(f"samples page of {table}", "POST", f"/datasource/samples?force=true&{_arguments(form)}", {})
        yield Attack(f"values of {table}", "GET", f"/api/v1/datasource/table/{number}/column/display_name/values/")
        yield Attack(f"places of {table}", "GET", f"/api/v1/datasource/table/{number}/column/area_name/values/")
        yield Attack(f"metadata of {table}", "GET", f"/datasource/get/table/{number}/")
        yield Attack(f"external metadata of {table}", "GET", f"/datasource/external_metadata/table/{number}/")
        yield Attack(f"dataset {table}", "GET", f"/api/v1/dataset/{number}")
        yield Attack(f"drill info of {table}", "GET", f"/api/v1/dataset/{number}/drill_info/")
        yield Attack(f"refresh of {table}", "PUT", f"/api/v1/dataset/{number}/refresh", {})
        explore = quote(
            json.dumps(
                {
                    "datasource": f"{number}__table",
                    "viz_type": "table",
                    "all_columns": _columns()[table],
                    "query_mode": "raw",
                }
            )
        )
        yield Attack(f"explore {table}", "GET", f"/explore/?form_data={explore}")
        yield Attack(
            f"explore's data of {table}", "GET", f"/api/v1/explore/?datasource_id={number}&datasource_type=table"
        )
        yield Attack(f"old explore of {table}", "POST", f"/superset/explore_json/?form_data={explore}", {})
    for path in (
        "/api/v1/database/",
        "/api/v1/database/1",
        "/api/v1/database/1/connection",
        "/api/v1/database/1/schemas/",
        "/api/v1/database/1/catalogs/",
        "/api/v1/database/1/tables/?q=(schema_name:main)",
        "/api/v1/database/1/table/bi_child/main/",
        "/api/v1/database/1/table_extra/bi_child/main/",
        "/api/v1/database/1/table_metadata/?name=bi_child&schema=main",
        "/api/v1/database/1/select_star/bi_child/main/",
        "/api/v1/database/1/function_names/",
        "/api/v1/database/1/related_objects/",
        "/api/v1/query/",
        "/api/v1/saved_query/",
        "/api/v1/log/",
        "/api/v1/report/",
        "/api/v1/rowlevelsecurity/",
        "/api/v1/rowlevelsecurity/1",
        "/api/v1/security/users/",
        "/api/v1/security/roles/",
        "/api/v1/security/permissions/",
        "/api/v1/tag/",
        "/api/v1/theme/",
        "/api/v1/css_template/",
        "/api/v1/annotation_layer/",
        "/api/v1/async_event/?last_id=1",
        "/api/v1/cachekey/",
        "/api/v1/menu/",
        "/api/v1/me/roles/",
        "/api/v1/available_domains/",
        "/api/v1/_openapi",
        "/swagger/v1",
        "/sqllab/",
        "/superset/sqllab/",
        "/users/",
        "/roles/",
        "/superset/fetch_datasource_metadata?datasourceKey=1__table",
        f"/superset/slice/{server.ids('slices')[0]}/",
        "/embedded/11111111-1111-1111-1111-111111111111",
        "/api/v1/embedded_dashboard/11111111-1111-1111-1111-111111111111",
        "/superset/language_pack/../../../etc/passwd/",
        "/static/..%2f..%2f..%2fetc%2fpasswd",
        "/data-docs/",
        "/data-docs/..%2f..%2fstaff.csv",
    ):
        yield Attack(f"page {path}", "GET", path)
    for number in server.ids("dashboards")[:: max(1, len(server.ids("dashboards")) // 8)]:
        yield Attack(f"dashboard {number}", "GET", f"/api/v1/dashboard/{number}")
        yield Attack(f"datasets of dashboard {number}", "GET", f"/api/v1/dashboard/{number}/datasets")
        yield Attack(f"charts of dashboard {number}", "GET", f"/api/v1/dashboard/{number}/charts")
    for key in ("abc", "0" * 32, "../../x"):
        yield Attack(f"cached result {key}", "GET", f"/api/v1/chart/data/{quote(key, safe='')}")
    layer = {
        "annotationType": "EVENT",
        "sourceType": "table",
        "value": server.ids("slices")[0],
        "name": "x",
        "show": True,
    }
    yield chart(target, "annotation of another chart", metrics=["children"], annotation_layers=[layer])
    yield Attack(
        "chart data of a query",
        "POST",
        "/api/v1/chart/data",
        {"datasource": {"id": 1, "type": "query"}, "queries": [{"columns": ["display_name"], "row_limit": 10}]},
    )
    for kind in ("saved_query", "dataset", "slice", "semantic_view"):
        yield Attack(
            f"chart data of a {kind}",
            "POST",
            "/api/v1/chart/data",
            {"datasource": {"id": 1, "type": kind}, "queries": [{"columns": ["display_name"], "row_limit": 10}]},
        )
    for header in ("X-GuestToken", "Authorization"):
        token = "Bearer eyJhbGciOiJub25lIn0.eyJ1c2VyIjp7fSwicmVzb3VyY2VzIjpbXSwicmxzX3J1bGVzIjpbXX0."
        yield Attack(f"forged {header}", "GET", "/api/v1/dashboard/", headers={header: token})


def _changes(datasets: dict[str, int], target: int) -> Iterator[Attack]:
    sql = "select * from bi_child"
    yield Attack("dataset overwrite", "PUT", f"/api/v1/dataset/{target}?override_columns=true", {"sql": sql})
    yield Attack(
        "old dataset save",
        "POST",
        "/datasource/save/",
        {"data": json.dumps({"id": target, "type": "table", "sql": sql})},
    )
    yield Attack(
        "guest token",
        "POST",
        "/api/v1/security/guest_token/",
        {"user": {"username": "x"}, "resources": [{"type": "dashboard", "id": "1"}], "rls": []},
    )
    yield Attack("embed a dashboard", "POST", "/api/v1/dashboard/1/embedded", {"allowed_domains": []})
    yield Attack(
        "chart for another dataset",
        "POST",
        "/api/v1/chart/",
        {
            "slice_name": "x",
            "viz_type": "table",
            "datasource_id": datasets["bi_child"],
            "datasource_type": "table",
            "params": "{}",
        },
    )
    yield Attack("dashboard of one's own", "POST", "/api/v1/dashboard/", {"dashboard_title": "x"})
    yield Attack("warm up", "PUT", "/api/v1/chart/warm_up_cache", {"chart_id": 1})
    yield Attack(
        "warm up a dataset",
        "PUT",
        "/api/v1/dataset/warm_up_cache",
        {"db_name": "こども統合DB", "table_name": "bi_child"},
    )
    yield Attack(
        "report",
        "POST",
        "/api/v1/report/",
        {"type": "Alert", "name": "x", "crontab": "* * * * *", "sql": sql, "database": 1},
    )
    yield Attack(
        "explore's form",
        "POST",
        "/api/v1/explore/form_data",
        {"datasource_id": datasets["bi_child"], "datasource_type": "table", "form_data": "{}"},
    )
    yield Attack(
        "explore's permalink",
        "POST",
        "/api/v1/explore/permalink",
        {"formData": {"datasource": f"{datasets['bi_child']}__table"}, "urlParams": []},
    )
    yield Attack(
        "upload",
        "POST",
        "/api/v1/database/1/upload/",
        files={"file": ("x.csv", b"a\n1\n"), "type": (None, "csv"), "table_name": (None, "x")},
    )
    yield Attack(
        "assets import", "POST", "/api/v1/assets/import/", files={"bundle": ("x.zip", b"PK\x05\x06" + b"\0" * 18)}
    )
    yield Attack(
        "dashboard import",
        "POST",
        "/api/v1/dashboard/import/",
        files={"formData": ("x.zip", b"PK\x05\x06" + b"\0" * 18)},
    )
    yield Attack(
        "database of one's own",
        "POST",
        "/api/v1/database/",
        {"database_name": "x", "sqlalchemy_uri": "duckdb:///everything"},
    )
    yield Attack(
        "connection test",
        "POST",
        "/api/v1/database/test_connection/",
        {"sqlalchemy_uri": "duckdb:////etc/passwd", "database_name": "x"},
    )
    yield Attack(
        "chart data without a token",
        "POST",
        "/api/v1/chart/data",
        {"datasource": {"id": datasets["bi_child"], "type": "table"}, "queries": [{"columns": ["display_name"]}]},
        with_token=False,
    )
    yield Attack("filter state", "POST", "/api/v1/dashboard/1/filter_state", {"value": json.dumps({"x": sql})})
    yield Attack("permalink", "POST", "/api/v1/dashboard/1/permalink", {"dataMask": {}, "activeTabs": []})
    yield Attack("body that is no JSON", "POST", "/api/v1/chart/data", files={"form_data": (None, "{")})
    yield Attack("empty body", "POST", "/api/v1/chart/data", {})
    yield Attack(
        "no such dataset",
        "POST",
        "/api/v1/chart/data",
        {"datasource": {"id": 99999, "type": "table"}, "queries": [{"columns": ["x"]}]},
    )
    yield Attack(
        "negative id",
        "POST",
        "/api/v1/chart/data",
        {"datasource": {"id": -1, "type": "table"}, "queries": [{"columns": ["x"]}]},
    )
    for number in (2**63, 10**40):
        yield Attack(
            f"id {number}",
            "POST",
            "/api/v1/chart/data",
            {"datasource": {"id": number, "type": "table"}, "queries": [{"columns": ["x"]}]},
        )
        for place in ("chart", "dashboard", "dataset", "database", "explore/form_data", "annotation_layer"):
            yield Attack(f"{place} {number}", "GET", f"/api/v1/{place}/{number}")
            yield Attack(
                f"list of {place}s by {number}", "GET",
                f"/api/v1/{place}/?q=(filters:!((col:id,opr:eq,value:{number})),page:{number})",
            )  # fmt: skip
        yield Attack(f"explore {number}", "GET", f"/api/v1/explore/?slice_id={number}")
        yield Attack(f"form data of {number}", "GET", f"/api/v1/form_data/?slice_id={number}")
        yield Attack(f"slice {number}", "GET", f"/superset/slice/{number}/")
        yield Attack(f"explore page {number}", "GET", f"/explore/?slice_id={number}&datasource_id={number}")
        yield Attack(f"dashboard page {number}", "GET", f"/superset/dashboard/{number}/")
        yield Attack(
            f"samples of {number}",
            "POST",
            f"/datasource/samples?datasource_type=table&datasource_id={number}&per_page={number}&page={number}",
            {},
        )
        for page in ("leavers", "arrivals"):
            yield Attack(f"{page}, page {number}", "GET", f"/kodomo/{page}/?page={number}")
        yield Attack(f"meeting, page {number}", "GET", f"/entry/meeting/?page={number}")


def floods(target: int) -> Iterator[Attack]:
    """Questions that would keep a server busy for long, or make it stumble."""
    texts = {
        "parentheses": "(" * 400 + "1=1" + ")" * 400,
        "cases": "case when " * 150 + "1=1" + " then 1 end" * 150 + " = 1",
        "negations": "not " * 450 + "1=1",
        "places in a list": "display_name" + "[1]" * 600 + " = 'x'",
        "conditions": " or ".join(["1=1"] * 20_000),
    }
    for name, sql in texts.items():
        yield chart(target, f"{name} in a condition", columns=["tier_label"], extras={"where": sql})
        yield chart(target, f"{name} in a metric", metrics=[metric(sql)])
    names = [str(number) for number in range(100_000)]
    yield chart(target, "values", columns=["tier_label"], filters=[_filter("person_id", "IN", names)])
    yield chart(target, "filters", columns=["tier_label"], filters=[_filter("person_id", "==", "x")] * 5_000)
    whole = chart(target, "queries", columns=["tier_label"])
    yield replace(whole, body={**whole.body, "queries": whole.body["queries"] * 500})
    nested: Any = "x"
    for _ in range(500):
        nested = [nested]
    yield chart(target, "nesting", columns=nested)
    yield chart(
        target, "a value that is none", columns=["tier_label"], filters=[_filter("tier_label", "==", {"a": "b"})]
    )
    yield chart(target, "values that are none", columns=["tier_label"], filters=[_filter("tier_label", "IN", [["a"]])])
    day = {
        "columnType": "BASE_AXIS", "sqlExpression": "as_of_on", "label": "as_of_on", "expressionType": "SQL",
        "timeGrain": "P9Y",
    }  # fmt: skip
    yield chart(target, "a grain that is none", columns=[day])
    for operation, options in (
        ("resample", {"rule": "1min", "method": "ffill"}),
        ("histogram", {"column": "total_score", "bins": 20_000_000}),
        ("prophet", {"time_grain": "PT1S", "periods": 100_000_000, "confidence_interval": 0.9}),
    ):
        step = {"operation": operation, "options": options}
        yield chart(target, operation, columns=["as_of_on"], metrics=["children"], post_processing=[step])
    shifts = [f"{number} days ago" for number in range(200)]
    yield chart(target, "shifts in time", columns=["as_of_on"], metrics=["children"], time_offsets=shifts)


def _arguments(values: dict[str, Any]) -> str:
    return "&".join(f"{key}={value}" for key, value in values.items())


GUESSED = "00000000-0000-4000-8000-000000000001"
# What may be sent to the pages of entry about a person. Each names a person, or a delivery, out of scope.
ENTRY_ROUTES = {
    "start": [],
    "children": ["save"],
    "leavers": [f"{GUESSED}/document", f"{GUESSED}/support/{GUESSED}"],
    "arrivals": [],
    "notices": ["open", "read"],
    "area": [f"{GUESSED}/sheet.pdf"],
    "area_resource": ["save", f"{GUESSED}/check", f"{GUESSED}/delete"],
    "status_checks": [],
    "unclaimed_benefits": [],
    "benefit_check": ["new", "save"],
    "status_check": ["new", "save"],
    "status_check_return": [],
    "handover": ["new", "save"],
    "child": [],
    "assess": ["prepare", "result", f"{GUESSED}/confirm", f"{GUESSED}/withdraw"],
    "meeting": ["child", "decide", "support", "turn", "agenda", "agenda/watch", f"correct/{GUESSED}"],
    "assessment": ["new", "save"],
    "support_plan": ["new", "save", f"{GUESSED}/copy"],
    "visit": ["new", "save"],
    "school_consultation": ["new", "save"],
    "school_absence": ["new", "save"],
    "paper_case": ["new", "save"],
    "support_measure": ["new", "save"],
    "person_request": ["new", "save", "document.pdf"],
    "link_review": ["decide", "decide_several"],
    "quality_task": ["decide"],
    "delivery_decision": [
        "decide",
        "undo",
        "upload",
        "of/delivery_id:H:unknown/rejects",
        *(f"file/{GUESSED}/{part}" for part in ("hand_over", "throw_away", "again")),
    ],
    "code_decision": ["decide"],
    "disputed_line": ["answer"],
    "personal_files": [],
    "model": [
        "new",
        "proposal",
        "compare",
        *(f"{GUESSED}/{part}" for part in ("coefficients", "thresholds", "override", "group", "item", "combination")),
        *(f"{GUESSED}/{part}" for part in ("comment", "submit", "withdraw", "support_priority_rules", "support_rules")),
    ],
    "known_cases": ["set", "give-up"],
    "model_approval": [f"{GUESSED}/approve", f"{GUESSED}/return", "retire", "recall"],
}


def entry_attacks(strangers: list[str]) -> Iterator[Attack]:
    """The pages of entry, and whatever they take, about people whom the sender does not reach."""
    assert set(ENTRY_ROUTES) == set(read_access().entry_pages)
    for page, routes in ENTRY_ROUTES.items():
        address = url_of(page)
        yield Attack(f"entry {page}", "GET", address)
        yield Attack(f"entry {page}: a guessed record", "GET", f"{address}{GUESSED}")
        # Everybody's name has this in it; a number would stand in the answer because it was typed.
        yield Attack(f"entry {page}: search", "POST", f"{address}search", form={"name": "display_name"})
        for number, route in enumerate(routes):
            stranger = strangers[number % len(strangers)]
            form = {
                "person_id": stranger, "about_child_id": stranger, "record_id": GUESSED, "purpose": "x", "base": "1",
                "source_id": "resident_register", "source_key": stranger, "decision": "undo", "reason": "x",
                "delivery_id": "delivery_id:H:unknown", "code_list": "x", "spelling": stranger, "code": "x",
            }  # fmt: skip
            yield Attack(f"entry {page}: {route} about a stranger", "POST", f"{address}{route}", form=form)
        yield Attack(
            f"entry {page}: change a guessed record", "POST", f"{address}{GUESSED}", form={"base": "1", "reason": "x"}
        )
