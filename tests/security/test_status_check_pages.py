"""状況確認: lists of one's own children only, without the place of a protected family; and the return, in numbers."""

from __future__ import annotations

import csv
import io
import re
import uuid

import pytest
import requests

from kodomo.entries.store import EntryStore
from tests.security.scratch import CHILD, MARKUP, leaks, tells_of_the_machine
from tests.security.servers import Person, Server
from tests.security.test_entry_pages import child_of
from tests.security.test_leaver_pages import send

pytestmark = pytest.mark.slow
LIST, RETURN = "/kodomo/status-checks/", "/kodomo/status-check-return/"
LABEL = re.compile(r"child_label:(P\d{3})")
RESULT = {"checked_on": "2026-04-02", "check_result": "目視で確認した", "seen_by": "秘密の園の園長"}


def listed(person: Person, state: str = "open") -> list[str]:
    """The marks of the children on all pages of a list."""
    found: list[str] = []
    number = 1
    while True:
        text = person.get(f"{LIST}?state={state}&page={number}").text
        found += [mark for row in re.findall(r"<tr>.*?</tr>", text, re.DOTALL) for mark in LABEL.findall(row)]
        number += 1
        if f"page={number}" not in text:
            return found


def record(person: Person, child: str, **more: str) -> requests.Response:
    ids = {"about_child_id": child, "person_id": child, "record_id": str(uuid.uuid4())}
    return send(person, "/entry/status_check/save", **{**ids, **RESULT, **more})


@pytest.mark.parametrize(
    "username",
    ["child_all", "child_all_nodv", "child_ryotsu", "child_ryotsu_dv", "guidance_all", "health_all",
     "education_sawata", "welfare_all"],
)  # fmt: skip
def test_lists_hold_one_s_own_children_without_hidden_places(server: Server, username: str) -> None:
    person = server.person(username)
    for query in ("", "?state=closed", "?state=excluded", "?list=last_year&group=no_school", "?group=' or 1=1"):
        answer = person.get(f"{LIST}{query}")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert not leaks(answer.text, person.seen), query
        assert not tells_of_the_machine(answer.text, server.home.root)
        assert MARKUP not in answer.text
        assert "<script" not in answer.text
    assert set(listed(person)) == person.seen.children()


@pytest.mark.parametrize("username", ["health_all", "education_sawata", "welfare_all"])
def test_by_whom_a_child_was_seen_is_for_the_child_department_and_the_guidance_centre(
    server: Server, username: str
) -> None:
    assert "last_seen_by:" in server.person("child_all").get(LIST).text
    assert "last_seen_by:" not in server.person(username).get(LIST).text


@pytest.mark.parametrize("username", ["elderly_all", "council_all", "analyst_all", "executive_all", "partner", "admin"])
def test_lists_are_for_those_who_follow_children(server: Server, username: str) -> None:
    person = server.person(username)
    for address in (LIST, "/entry/status_check/"):
        answer = person.get(address)
        assert answer.status_code == 403
        assert not leaks(answer.text, person.seen)


def counted(person: Person) -> int:
    """All children in the file of the return."""
    answer = person.get(f"{RETURN}return.csv")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert not CHILD.search(answer.text)
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    whole = next(row for row in rows if row[0] == "子ども全体")
    assert int(whole[5]) == sum(map(int, whole[2:5]))
    assert whole[6:] == ["", "", "", ""]
    return int(whole[5])


@pytest.mark.parametrize("username", ["child_all", "child_ryotsu", "health_all", "executive_all"])
def test_return_counts_the_children_of_the_scope_and_names_none(server: Server, username: str) -> None:
    person = server.person(username)
    answer = person.get(RETURN)
    assert answer.status_code == 200
    assert not CHILD.search(answer.text)
    assert counted(person) == sum(900_000 + int(mark[1:]) for mark in person.seen.counted())
    [note] = [one for one in EntryStore(server.home).accesses(username) if one["action"] == "status_check_return"][-1:]
    assert note


@pytest.mark.parametrize("username", ["elderly_all", "council_all", "analyst_all", "partner", "admin", "steward_child"])
def test_return_is_for_those_who_follow_children_and_executives(server: Server, username: str) -> None:
    for address in (RETURN, f"{RETURN}return.csv"):
        assert server.person(username).get(address).status_code == 403


def test_result_is_recorded_for_one_s_own_children_and_closes_the_check(server: Server) -> None:
    person, store = server.person("child_ryotsu"), EntryStore(server.home)
    child, other, hidden = child_of("ryotsu"), child_of("mano"), child_of("ryotsu", is_protected=True)
    before = len(store.current("status_check", with_deleted=True))
    assert record(person, other).status_code == 404
    assert record(person, child, person_id=other).status_code == 404
    assert record(person, hidden).status_code == 404
    assert record(person, child, seen_by="").status_code == 422
    assert record(server.person("elderly_all"), child).status_code == 403
    assert len(store.current("status_check", with_deleted=True)) == before
    assert child in listed(person)
    answer = record(person, child, check_result="調べている", seen_by="")
    assert answer.status_code == 302
    assert answer.headers["Location"] == LIST
    assert child in listed(person)
    assert record(person, child).status_code == 302
    assert child not in listed(person)
    assert child in listed(person, "closed")
    assert {version.department for version in store.current("status_check", person_id=child)} == {"child"}


def test_words_about_a_protected_child_are_for_the_authorised(server: Server) -> None:
    hidden = child_of("kanai", is_protected=True)
    unauthorised, authorised = server.person("child_all_nodv"), server.person("child_all")
    assert record(authorised, hidden, seen_by="秘密の町の隣人").status_code == 302
    assert hidden in listed(unauthorised, "closed")
    for address in (f"{LIST}?state=closed", "/entry/status_check/"):
        assert "秘密の町" not in unauthorised.get(address).text, address
    assert "秘密の町" in authorised.get("/entry/status_check/").text
    [kept] = EntryStore(server.home).current("status_check", person_id=hidden)
    assert unauthorised.get(f"/entry/status_check/{kept.record_id}").status_code == 404


def test_measure_reported_by_telephone_hides_the_place_at_once(server: Server) -> None:
    person, limited, store = server.person("child_all_nodv"), server.person("child_ryotsu"), EntryStore(server.home)
    child = child_of("ryotsu")
    assert f"area_name:{child}" in "".join(
        person.get(f"{LIST}?state={state}&page={page}").text for state in ("open", "closed") for page in range(1, 5)
    )
    content = {"told_on": "2026-04-01", "measure_from": "2026-04-01", "told_by": "x"}
    kept = store.create("support_measure", content, by="x", department="child", person_id=child)
    texts = "".join(
        person.get(f"{LIST}?state={state}&page={page}").text for state in ("open", "closed") for page in range(1, 5)
    )
    assert f"area_name:{child}" not in texts
    assert f"child_label:{child}" in texts
    assert child not in [*listed(limited), *listed(limited, "closed")]
    store.delete(kept.record_id, 1, by="x", reason="test")


def test_start_page_counts_those_of_the_list(server: Server) -> None:
    person = server.person("child_ryotsu")
    # The list of the last batch is the one of the year here, under the one name that the page shows.
    assert "状況確認が要る" in person.get("/kodomo/").text
    assert "状況確認が要る" not in server.person("executive_all").get("/kodomo/").text
