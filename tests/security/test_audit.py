"""What was done is in the log at once, for administrators only, and without what was asked or answered."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
import requests

from kodomo.access.staff import DEMO_STAFF
from kodomo.audit_chain import CHANGED, MISSING
from kodomo.entries.store import EntryStore
from kodomo.home import Home
from superset_config.audit import chain
from tests.security.attacks import attacks
from tests.security.scratch import CHILDREN, MARKUP, read_seen
from tests.security.servers import Person, Server
from tests.security.test_attacks import ACCESS, STAFF, own_table, readable
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
    sheet = {"col": "child_label", "op": "IN", "val": [f"child_label:{child}{MARKUP}"]}
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


# What tells of a person is an id or a label; a mark in another column stands for what no one is known by.
_TELLING = re.compile(
    r"(?:(?:child_label|display_name|kana|relative_label|from_label|to_label|end_label):|(?<![\w:-]))(P\d{3})(?![\w-])"
)


def named_people(answer: requests.Response) -> set[str]:
    """The children whom an answer names."""
    return set(_TELLING.findall(readable(answer.content)))


def kept_since(server: Server, number: int) -> tuple[set[str], bool]:
    """The people in Superset's log after a line, and whether each of these lines says where they were seen."""
    with sqlite3.connect(server.home.superset / "superset.db") as connection:
        lines = connection.execute("select action, json, user_id from logs where id > ?", [number]).fetchall()
        every = connection.execute("select json from logs where action = 'people_group'").fetchall()
    groups = {group["group"]: group["people"] for group in (json.loads(kept) for (kept,) in every)}
    people: set[str] = set()
    for action, kept, user in lines:
        content = json.loads(kept)
        named = content.get("people", []) if action != "people_group" else []
        named = [*named, *groups.get(content.get("group") if action != "people_group" else None, [])]
        people |= {one.split(":")[-1] for one in named}
        assert user is not None or not named
    return people, bool(lines)


def newest_line(server: Server) -> int:
    with sqlite3.connect(server.home.superset / "superset.db") as connection:
        return connection.execute("select coalesce(max(id), 0) from logs").fetchone()[0]


ANSWERED = ("every row", "csv of", "xlsx of", "samples", "details", "data of chart", "entry")
"""How the questions begin that are answered: for data, as files, for the records behind a figure, for pages."""
OF_EACH = 9


@pytest.mark.parametrize("username", ["child_ryotsu", "child_all", "health_north", "council_all"])
def test_everyone_in_an_answer_is_in_the_log(server: Server, username: str) -> None:
    person = server.person(username)
    every = list(attacks(server, own_table(username)))
    # The tables that the account may ask are in it, whichever the sample takes.
    own = {f"every row of {table.name}" for table in ACCESS.tables_for(STAFF[username].scope)}
    tried = [attack for attack in every if attack.name in own]
    for beginning in ANSWERED:
        of_kind = [attack for attack in every if attack.name.startswith(beginning)]
        tried += of_kind[:: max(1, len(of_kind) // OF_EACH)]
    missing, answered = [], 0
    for attack in tried:
        before = newest_line(server)
        answer = attack.send(person)
        named = named_people(answer) if answer.status_code < 400 else set()
        answered += bool(named)
        kept, _ = kept_since(server, before)
        if named - kept:
            missing.append(f"{attack.name}: {sorted(named - kept)[:3]}")
    assert not missing, "\n".join(missing)
    assert answered


def test_exports_from_the_menu_and_records_behind_a_figure_name_everyone_in_the_log(server: Server) -> None:
    person = server.person("child_aikawa")
    number = server.datasets()["bi_child"]
    # The menu of a chart sends a form, not JSON.
    question = {
        "datasource": {"id": number, "type": "table"}, "queries": [{"columns": ["person_id"], "row_limit": 50}],
        "result_format": "csv", "result_type": "full",
    }  # fmt: skip
    form = {"form_data": json.dumps(question), "csrf_token": person.token}
    decision = {"meeting_on": "2026-04-10", "decision": "watch", "agrees_with_tier": "yes", "review_on": "2026-05-01"}
    child = min(children_of(person))
    EntryStore(server.home).create("decision", decision, by="child_aikawa", department="child", person_id=child)
    samples = f"/datasource/samples?datasource_type=table&datasource_id={number}"
    for send, label in (
        (lambda: person.send("POST", "/api/v1/chart/data", data=form), "出力"),
        (lambda: person.send("POST", samples, json={"filters": []}), "閲覧"),
        (lambda: person.get("/entry/meeting/?state=all"), "閲覧"),
        (lambda: post(person, "/entry/assess/prepare", person_id=child), "閲覧"),
        (lambda: person.get("/entry/meeting/list.pdf?state=all"), "印刷・文書"),
    ):
        before = newest_line(server)
        answer = send()
        assert answer.status_code == 200, answer.text[:300]
        kept, _ = kept_since(server, before)
        assert kept >= (named_people(answer) or {child})
        assert kept
        line = next(row for row in lines(server, "child_aikawa") if row["people"])
        assert line["action_label"] == label


def children_of(person: Person) -> set[str]:
    return {row["person_id"] for row in person.rows("bi_child", columns=["person_id"])}


def test_the_log_is_for_administrators(server: Server) -> None:
    number = server.datasets()["bi_audit"]
    for username in read_seen(DEMO_STAFF):
        answer = server.person(username).ask(number, columns=["username"], metrics=["events"])
        assert (answer.status_code == 200) == (username == "admin"), username
        boards = server.person(username).get("/api/v1/dashboard/?q=(page_size:100)").json()["result"]
        assert ("audit" in {board["slug"] for board in boards}) == (username == "admin"), username


def test_log_of_superset_is_chained_and_tampering_is_named(server: Server, tmp_path: Path) -> None:
    act(server.person("child_mano"), next(child.name for child in CHILDREN if child.area == "mano"))
    verdict = chain.verify(server.home)
    assert verdict.lines > 3
    assert verdict.finding is None
    # On a copy: other tests read this log.
    copied = Home(tmp_path / "var").ensure()
    copied.superset.mkdir()
    shutil.copy(server.home.audit_key, copied.audit_key)
    with sqlite3.connect(server.home.superset_metadata) as log, sqlite3.connect(copied.superset_metadata) as copy:
        log.backup(copy)
    for statement, kind in (
        ("update logs set user_id = user_id + 1 where id = (select max(id) - 1 from logs)", CHANGED),
        ("delete from logs where id = (select max(id) - 2 from logs)", MISSING),
    ):
        with sqlite3.connect(copied.superset_metadata) as copy:
            copy.execute(statement)
        finding = chain.verify(copied).finding
        assert finding is not None
        assert finding.kind == kind
