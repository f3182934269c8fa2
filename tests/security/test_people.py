"""What people of different scopes see on the running server, and what changes when their duty does."""

from __future__ import annotations

import codecs
import csv
import shutil
from pathlib import Path

import duckdb
import pytest

from kodomo.access.staff import COLUMNS, DEMO_STAFF
from kodomo.home import Home
from kodomo.publication import publish
from superset_config.asset_files import read_assets
from tests.security.scratch import AREAS, CHILDREN, Seen
from tests.security.servers import Person, Server, apply

pytestmark = pytest.mark.slow


def names(person: Person, table: str = "bi_child") -> set[str]:
    """Marks of the children that a person sees."""
    return {row["person_id"] for row in person.rows(table, columns=["person_id"])}


def test_two_people_of_two_areas_see_different_children(server: Server) -> None:
    ryotsu, aikawa = names(server.person("child_ryotsu")), names(server.person("child_aikawa"))
    assert ryotsu == {child.name for child in CHILDREN if child.area == "ryotsu" and not child.is_protected}
    assert aikawa == {child.name for child in CHILDREN if child.area == "aikawa" and not child.is_protected}
    assert not ryotsu & aikawa


def test_the_child_department_sees_all_areas(server: Server) -> None:
    assert names(server.person("child_all")) == {child.name for child in CHILDREN}


def test_the_authorised_see_the_place_and_the_others_do_not(server: Server) -> None:
    protected = {child.name for child in CHILDREN if child.is_protected}
    for username, shown in (("child_all", True), ("child_all_nodv", False)):
        rows = server.person(username).rows("bi_child", columns=["person_id", "area_code", "school_name"])
        places = {row["person_id"]: (row["area_code"], row["school_name"]) for row in rows}
        assert set(places) == {child.name for child in CHILDREN}
        assert {name for name, place in places.items() if place != (None, None)} == (
            set(places) if shown else set(places) - protected
        )


def test_a_protected_family_is_in_no_count_of_an_area(server: Server) -> None:
    counts = server.person("child_all_nodv").rows("bi_child", columns=["area_code"], metrics=["children"])
    by_area = {row["area_code"]: row["children"] for row in counts}
    for area in AREAS:
        assert by_area[area] == len([c for c in CHILDREN if c.area == area and not c.is_protected])


def test_protected_places_are_no_value_of_a_filter(server: Server) -> None:
    rows = server.person("child_all_nodv").rows("bi_child", columns=["school_name"])
    text = str(rows)
    assert not [child.name for child in CHILDREN if child.is_protected and f"school_name:{child.name}" in text]


def test_departments_see_their_children(server: Server) -> None:
    for username, department, table in (
        ("health_all", "health", "bi_child__health"),
        ("education_all", "education", "bi_child__education"),
        ("guidance_all", "guidance_centre", "bi_child__guidance_centre"),
        ("council_all", "social_council", "bi_child__social_council"),
    ):
        expected = {child.name for child in CHILDREN if department in child.departments}
        assert names(server.person(username), table) == expected, username


def test_stewards_see_their_own_deliveries(server: Server) -> None:
    own = server.person("steward_health").rows("bi_delivery", columns=["holder"])
    assert {row["holder"] for row in own} == {"health"}
    every = server.person("steward_child").rows("bi_delivery", columns=["holder"])
    assert len({row["holder"] for row in every}) == 8


def test_dashboards_are_those_of_the_audience(server: Server) -> None:
    def slugs(username: str) -> set[str]:
        answer = server.person(username).get("/api/v1/dashboard/?q=(page_size:100)")
        return {row["slug"] for row in answer.json()["result"]}

    assert {"overview", "list"} <= slugs("child_ryotsu")
    assert slugs("partner") == {"areas-partner"}
    assert slugs("newcomer") == set()
    assert "list" not in slugs("executive_all")


def test_a_value_that_was_pressed_filters_the_other_charts(server: Server) -> None:
    person = server.person("child_all")
    area = min(filter(None, (row["area_name"] for row in person.rows("bi_child", columns=["area_name"]))))
    by_name = [{"col": "area_name", "op": "IN", "val": [area]}]
    # A bar sends its axis by the label.
    by_label = [{"col": "地区", "op": "IN", "val": [area]}]
    of_area, pressed = (
        {row["person_id"] for row in person.rows("bi_child", columns=["person_id"], filters=filters)}
        for filters in (by_name, by_label)
    )
    assert pressed == of_area < names(person)
    # A table without areas stays as it is.
    assert person.rows("bi_support_effect", columns=["measure_label"], filters=by_label) is not None


def test_the_records_behind_a_figure_are_those_of_the_scope(server: Server) -> None:
    person = server.person("child_ryotsu")
    page = f"/datasource/samples?datasource_type=table&datasource_id={server.datasets()['bi_child']}"
    body = {"filters": [{"col": "地区", "op": "IS NOT NULL"}], "extras": {"where": ""}}
    answer = person.send("POST", page, json=body)
    assert answer.status_code == 200, answer.text
    assert {row["person_id"] for row in answer.json()["result"]["data"]} == names(person)


def test_the_list_of_dashboards_stands_in_their_order(server: Server) -> None:
    answer = server.person("child_all").get(
        "/api/v1/dashboard/?q=(order_column:changed_on_delta_humanized,order_direction:desc,page_size:100)"
    )
    # What an account has made itself has no address of its own.
    titles = [row["slug"].split("-")[0] for row in answer.json()["result"] if row["slug"]]
    order = {slug: dashboard.order for slug, dashboard in read_assets().dashboards.items()}
    assert [order[slug] for slug in titles] == sorted(order[slug] for slug in titles)


def test_every_chart_of_every_dashboard_answers(server: Server) -> None:
    failed = []
    for username in ("child_all", "health_all", "education_all", "welfare_all", "elderly_all", "guidance_all"):
        failed += _charts_that_fail(server.person(username))
    for username in ("council_all", "analyst_all", "executive_all", "partner", "steward_welfare"):
        failed += _charts_that_fail(server.person(username))
    assert not failed


def _charts_that_fail(person: Person) -> list[tuple[str, str, str]]:
    failed = []
    for board in person.get("/api/v1/dashboard/?q=(page_size:100)").json()["result"]:
        for chart in person.get(f"/api/v1/dashboard/{board['id']}/charts").json()["result"]:
            answer = person.get(f"/api/v1/chart/{chart['id']}/data/")
            if answer.status_code != 200:
                failed.append((person.username, f"{board['slug']}/{chart['slice_name']}", answer.text[:200]))
    return failed


def test_export_is_for_those_allowed_and_is_logged(server: Server) -> None:
    for username, status in (("child_ryotsu", 200), ("guidance_all", 403)):
        person = server.person(username)
        table = "bi_child" if username == "child_ryotsu" else "bi_child__guidance_centre"
        body = {
            "datasource": {"id": server.datasets()[table], "type": "table"},
            "queries": [{"columns": ["person_id"], "row_limit": 10}],
            "result_format": "csv",
            "result_type": "full",
        }
        answer = person.send("POST", "/api/v1/chart/data", json=body)
        assert answer.status_code == status, answer.text
        # Spreadsheets in Japan take a CSV without the mark for CP932.
        assert answer.content.startswith(codecs.BOM_UTF8) == (status == 200)
        assert answer.content.count(codecs.BOM_UTF8) == (status == 200)
    person = server.person("child_ryotsu")
    chart = next(
        chart
        for board in person.get("/api/v1/dashboard/?q=(page_size:100)").json()["result"]
        for chart in person.get(f"/api/v1/dashboard/{board['id']}/charts").json()["result"]
    )
    answer = person.get(f"/api/v1/chart/{chart['id']}/data/?format=csv")
    assert answer.status_code == 200
    assert answer.content.startswith(codecs.BOM_UTF8)
    mine = [{"col": "username", "op": "IN", "val": ["child_ryotsu"]}]
    assert "出力" in {
        row["action_label"] for row in server.person("admin").rows("bi_audit", columns=["action_label"], filters=mine)
    }


def test_a_change_of_duty_is_effective_at_once(server: Server) -> None:
    home = server.home
    person = server.log_in("child_mano")
    try:
        before = names(person)
        assert before == {child.name for child in CHILDREN if child.area == "mano" and not child.is_protected}
        change(home, "child_mano", areas="kanai")
        after = names(person)
        assert after == {child.name for child in CHILDREN if child.area == "kanai" and not child.is_protected}
        change(home, "child_mano", department="", areas="", duties="")
        assert person.ask(server.datasets()["bi_child"], columns=["person_id"]).status_code in {401, 403}
        change(home, "child_mano", remove=True)
        assert person.get("/api/v1/me/").status_code == 401
        fresh = server.log_in("child_mano")
        assert fresh.get("/api/v1/me/").status_code == 401
    finally:
        shutil.copy(DEMO_STAFF, home.staff)
        apply(home)


def change(home: Home, username: str, remove: bool = False, **values: str) -> None:
    """Change a line of the staff list, and apply it."""
    with home.staff.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows = [{**row, **values} if row["username"] == username else row for row in rows]
    if remove:
        rows = [row for row in rows if row["username"] != username]
    with home.staff.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    apply(home)


def test_results_of_one_are_not_served_to_another(server: Server) -> None:
    for _ in range(2):
        for username, area in (("child_ryotsu", "ryotsu"), ("child_aikawa", "aikawa"), ("child_ryotsu", "ryotsu")):
            rows = server.person(username).rows("bi_child", columns=["area_code"], metrics=["children"])
            assert [row["area_code"] for row in rows] == [area]


def test_cached_result_is_not_shared_between_scopes(server: Server) -> None:
    owner, other = server.person("child_ryotsu"), server.person("child_aikawa")
    answer = owner.ask(server.datasets()["bi_child"], columns=["person_id"])
    key = answer.json()["result"][0]["cache_key"]
    stolen = other.get(f"/api/v1/chart/data/{key}")
    assert not Seen.children(owner.seen) & set(stolen.text.split('"'))


def test_filter_choice_is_not_shared_between_accounts(server: Server) -> None:
    owner, other = server.person("child_ryotsu"), server.person("child_aikawa")
    (board,) = [
        board["id"]
        for board in owner.get("/api/v1/dashboard/?q=(page_size:100)").json()["result"]
        if board["slug"] == "list"
    ]
    path = f"/api/v1/dashboard/{board}/filter_state"
    answer = owner.send("POST", path, json={"value": '{"child": "child_label:P999"}'})
    assert answer.status_code == 201
    key = answer.json()["key"]
    assert "P999" in owner.get(f"{path}/{key}").text
    stolen = other.get(f"{path}/{key}")
    assert stolen.status_code == 404
    assert "P999" not in stolen.text


def test_a_new_publication_is_seen_at_once(server: Server) -> None:
    home = server.home
    person = server.person("child_sawata")
    before = names(person)
    saved = home.root / "saved.duckdb"
    shutil.copy(home.warehouse, saved)
    try:
        with duckdb.connect(str(home.warehouse)) as connection:
            connection.execute("delete from marts.bi_child where person_id = ?", [min(before)])
        publish(home, "20260402T000000-scratch")
        assert names(person) == before - {min(before)}
    finally:
        shutil.copy(saved, home.warehouse)
        saved.unlink()
        publish(home, "20260403T000000-scratch")
    assert names(person) == before


def test_no_page_names_an_outside_host(server: Server) -> None:
    for username, path in (("child_ryotsu", "/superset/dashboard/overview/"), ("admin", "/logmodelview/list/")):
        policy = server.person(username).get(path).headers["Content-Security-Policy"]
        assert "http" not in policy
        assert "unsafe-eval" not in policy


def test_data_docs_are_for_stewards_of_the_child_department(server: Server) -> None:
    docs = server.home.root / "data_docs"
    docs.mkdir(exist_ok=True)
    Path(docs / "index.html").write_text("<p>検査</p>", encoding="utf-8")
    assert "検査" in server.person("steward_child").get("/data-docs/").content.decode()
    for username in ("steward_health", "child_ryotsu", "newcomer"):
        assert server.person(username).get("/data-docs/").status_code == 404
    assert server.person("steward_child").get("/data-docs/..%2fstaff.csv").status_code == 404
