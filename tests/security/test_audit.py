"""What was done is in the log at once, for administrators only, and without what was asked or answered."""

from __future__ import annotations

import datetime as dt
import sqlite3

import pytest

from kodomo.access.staff import DEMO_STAFF
from tests.security.scratch import CHILDREN, read_seen
from tests.security.servers import Person, Server
from tests.security.test_entry_pages import post

pytestmark = pytest.mark.slow
COLUMNS = [
    "happened_at", "username", "department_label", "action_label", "place_label", "item_label", "person_number",
    "people", "purpose",
]  # fmt: skip


def lines(server: Server, username: str) -> list[dict]:
    """What administrators see of an account, newest first."""
    condition = {"col": "username", "op": "IN", "val": [username]}
    return server.person("admin").rows(
        "bi_audit", columns=COLUMNS, filters=[condition], orderby=[["happened_at", False]]
    )


def act(person: Person, child: str) -> None:
    """See a dashboard, a child and a chart, export, search, determine in vain."""
    datasets = person.server.datasets()
    assert person.get("/superset/dashboard/list/").status_code == 200
    sheet = {"col": "child_label", "op": "IN", "val": [f"child_label:{child}"]}
    assert person.ask(datasets["bi_child"], columns=["kana"], filters=[sheet]).status_code == 200
    body = {
        "datasource": {"id": datasets["bi_child"], "type": "table"},
        "queries": [{"columns": ["person_id"], "row_limit": 10}],
        "result_format": "csv",
        "result_type": "full",
    }
    assert person.send("POST", "/api/v1/chart/data", json=body).status_code == 200
    assert post(person, "/entry/assess/search", name="display_name", number=child).status_code == 200


def test_action_is_in_the_audit_at_once(server: Server) -> None:
    child = next(child.name for child in CHILDREN if child.area == "aikawa" and not child.is_protected)
    person = server.log_in("child_aikawa")
    Person(server, "child_aikawa", None).log_in("wrong-Password-1")
    began = dt.datetime.now(dt.UTC)
    act(person, child)
    entries = lines(server, "child_aikawa")
    done = [(row["action_label"], row["place_label"], row["person_number"], row["people"]) for row in entries]
    assert ("画面を開く", "対象者一覧", None, None) in done
    assert ("閲覧", "", child, 1) in done
    assert ("検索", "個別検討", child, 1) in done
    actions = {row["action_label"] for row in entries}
    assert {"出力", "ログイン", "ログイン失敗"} <= actions
    assert {row["department_label"] for row in entries} == {"子ども若者課"}
    newest = dt.datetime.fromtimestamp(entries[0]["happened_at"] / 1000, dt.UTC) - dt.timedelta(hours=9)
    assert abs(newest - began) < dt.timedelta(minutes=1)
    search = next(row for row in entries if row["action_label"] == "検索")
    assert search["item_label"] == "検索した欄：氏名、番号"


def test_the_log_holds_nothing_that_was_asked_or_answered(server: Server) -> None:
    child = next(child.name for child in CHILDREN if child.area == "mano" and not child.is_protected)
    act(server.person("child_mano"), child)
    with sqlite3.connect(server.home.superset / "superset.db") as connection:
        kept = str(connection.execute("select action, json, referrer from logs").fetchall())
    assert f'"{child}"' in kept
    for value in (f"child_label:{child}", f"display_name:{child}", "display_name:"):
        assert value not in kept
        assert value not in str(lines(server, "child_mano"))


def test_the_log_is_for_administrators(server: Server) -> None:
    number = server.datasets()["bi_audit"]
    for username in read_seen(DEMO_STAFF):
        answer = server.person(username).ask(number, columns=["username"], metrics=["events"])
        assert (answer.status_code == 200) == (username == "admin"), username
        boards = server.person(username).get("/api/v1/dashboard/?q=(page_size:100)").json()["result"]
        assert ("audit" in {board["slug"] for board in boards}) == (username == "admin"), username
