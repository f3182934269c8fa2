"""給付の案内: of one's own children and one's own benefits only, without the place of a protected family."""

from __future__ import annotations

import re
import uuid

import pytest
import requests

from kodomo.entries.store import EntryStore
from tests.security.scratch import CHILDREN, MARKUP, leaks, tells_of_the_machine
from tests.security.servers import Person, Server
from tests.security.test_entry_pages import child_of
from tests.security.test_leaver_pages import send

pytestmark = pytest.mark.slow
LIST = "/kodomo/unclaimed-benefits/"
LABEL = re.compile(r"child_label:(P\d{3})")


def listed(person: Person, state: str = "open") -> set[str]:
    """The marks of the children on all pages of the list."""
    found: set[str] = set()
    number = 1
    while True:
        text = person.get(f"{LIST}?state={state}&page={number}").text
        found |= {mark for row in re.findall(r"<tr>.*?</tr>", text, re.DOTALL) for mark in LABEL.findall(row)}
        number += 1
        if f"page={number}" not in text:
            return found


def record(person: Person, child: str, benefit_label: str, **more: str) -> requests.Response:
    given = {"checked_on": "2026-04-02", "benefit": benefit_label, "check_result": "すでに受けている"}
    ids = {"about_child_id": child, "person_id": child, "record_id": str(uuid.uuid4())}
    return send(person, "/entry/benefit_check/save", **{**ids, **given, **more})


@pytest.mark.parametrize("username", ["child_all", "child_all_nodv", "child_ryotsu", "child_ryotsu_dv", "welfare_all"])
def test_list_holds_one_s_own_children_without_hidden_places(server: Server, username: str) -> None:
    person = server.person(username)
    for query in ("", "?state=closed", "?state=excluded", "?group=' or 1=1"):
        answer = person.get(f"{LIST}{query}")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert not leaks(answer.text, person.seen), query
        assert not tells_of_the_machine(answer.text, server.home.root)
        assert MARKUP not in answer.text
        assert "<script" not in answer.text
    own = person.seen.children()
    if username == "welfare_all":
        # Of the benefits that other departments tell of, it sees nothing.
        own &= {child.name for child in CHILDREN if child.holder == "welfare"}
    assert listed(person) == own


@pytest.mark.parametrize(
    "username", ["health_all", "education_sawata", "guidance_all", "elderly_all", "council_all", "analyst_all",
                 "executive_all", "partner", "admin"],
)  # fmt: skip
def test_list_is_for_the_departments_that_tell_families(server: Server, username: str) -> None:
    person = server.person(username)
    for address in (LIST, "/entry/benefit_check/"):
        answer = person.get(address)
        assert answer.status_code == 403
        assert not leaks(answer.text, person.seen)
    assert "給付の案内" not in person.get("/kodomo/").text


def test_result_is_recorded_for_one_s_own_children_only(server: Server) -> None:
    person, store = server.person("child_ryotsu"), EntryStore(server.home)
    child, hidden = child_of("ryotsu"), child_of("ryotsu", is_protected=True)
    before = len(store.current("benefit_check", with_deleted=True))
    assert record(person, child_of("mano"), "児童手当").status_code == 404
    assert record(person, child, "児童手当", person_id=child_of("mano")).status_code == 404
    assert record(person, hidden, "児童手当").status_code == 404
    assert record(person, child, "住宅手当").status_code == 422
    assert record(server.person("elderly_all"), child, "児童手当").status_code == 403
    assert len(store.current("benefit_check", with_deleted=True)) == before
    answer = record(person, child, "児童手当")
    assert answer.status_code == 302
    assert answer.headers["Location"] == LIST


def test_words_about_a_protected_child_are_for_the_authorised(server: Server) -> None:
    hidden = child_of("kanai", is_protected=True)
    unauthorised, authorised = server.person("child_all_nodv"), server.person("child_all")
    assert record(authorised, hidden, "児童手当", summary="秘密の町で案内").status_code == 302
    for address in (f"{LIST}?state=open", f"{LIST}?state=closed", "/entry/benefit_check/"):
        assert "秘密の町" not in unauthorised.get(address).text, address
    assert "秘密の町" in authorised.get("/entry/benefit_check/").text
