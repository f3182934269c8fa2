"""地区: figures as suppressed and no child; a register for one's own areas; of a hidden area a sheet shows nothing."""

from __future__ import annotations

import re
import uuid

import pytest
import requests

from kodomo.entries.store import EntryStore
from tests.security.scratch import AREAS, CHILD, leaks, tells_of_the_machine
from tests.security.servers import Person, Server
from tests.security.test_entry_pages import child_of, printed_text
from tests.security.test_leaver_pages import send

pytestmark = pytest.mark.slow
PAGE, REGISTER = "/kodomo/areas/", "/entry/area_resource/"
STAFF = [
    "child_all", "child_all_nodv", "child_ryotsu", "guidance_all", "health_all", "education_sawata", "welfare_all",
    "elderly_all", "council_all",
]  # fmt: skip
NUMBERS_ONLY = ["executive_all", "partner"]


def given(area: str = "ryotsu", **more: str) -> dict[str, str]:
    content = {
        "area_code": area, "kind": "place", "name": f"食堂-{area}", "opening": "土 11時〜", "phone": "0259-99-1234",
        "contact_person": "秘密の人", "checked_on": "2026-04-01",
    }  # fmt: skip
    return {**content, "record_id": str(uuid.uuid4()), **more}


@pytest.fixture(scope="module")
def places(server: Server) -> dict[str, str]:
    """A place in each area, entered by staff of the area: the id of its record by the area."""
    store = EntryStore(server.home)
    ids = {}
    for area in AREAS:
        content = {name: value for name, value in given(area).items() if name != "record_id"}
        ids[area] = store.create("area_resource", content, by="x", department="child").record_id
    return ids


@pytest.mark.parametrize("username", [*STAFF, *NUMBERS_ONLY])
def test_pages_and_paper_of_areas_hold_no_child(server: Server, places: dict[str, str], username: str) -> None:
    person = server.person(username)
    answers = [person.get(PAGE), person.get(f"{PAGE}mano"), send_anywhere(person, f"{PAGE}mano/sheet.pdf")]
    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
    texts = [answers[0].text, answers[1].text, printed_text(answers[2])]
    for text in texts:
        assert not CHILD.search(text)
        assert not leaks(text, person.seen)
        assert not tells_of_the_machine(text, server.home.root)
        assert "<script" not in text
    assert "地区カルテ" in texts[2]
    for text in texts[1:]:
        assert "食堂-mano" in text
        assert "食堂-ryotsu" not in text
        # Who is asked, and under which number, is for those who keep the register.
        assert ("0259-99-1234" in text, "秘密の人" in text) == ((username in STAFF,) * 2)


def send_anywhere(person: Person, address: str, **body: str) -> requests.Response:
    """Send a form with the token of a page that the person has."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', person.get(f"{PAGE}mano").text)
    assert token
    return person.http.post(
        f"{person.server.address}{address}",
        data={"csrf_token": token.group(1), **body},
        headers={"Referer": person.server.address},
        allow_redirects=False,
        timeout=60,
    )


@pytest.mark.parametrize("username", ["steward_child", "analyst_all", "admin"])
def test_areas_are_for_case_workers_and_those_who_see_numbers(server: Server, username: str) -> None:
    person = server.person(username)
    for address in (PAGE, f"{PAGE}ryotsu", REGISTER):
        assert person.get(address).status_code == 403


def test_unknown_area_is_no_page(server: Server) -> None:
    for code in ("nowhere", "total", "' or 1=1", "..%2f..%2fetc"):
        assert server.person("child_all").get(f"{PAGE}{code}").status_code == 404


@pytest.mark.parametrize("username", NUMBERS_ONLY)
def test_register_is_for_case_workers(server: Server, places: dict[str, str], username: str) -> None:
    person, store = server.person(username), EntryStore(server.home)
    before = len(store.versions())
    for address in (REGISTER, f"{REGISTER}new", f"{REGISTER}{places['ryotsu']}"):
        assert person.get(address).status_code == 403
    assert send_anywhere(person, f"{REGISTER}save", **given()).status_code == 403
    assert send_anywhere(person, f"{REGISTER}{places['ryotsu']}/check", base="1").status_code == 403
    assert len(store.versions()) == before


def test_register_of_another_area_is_neither_read_nor_changed(server: Server, places: dict[str, str]) -> None:
    person, store = server.person("child_ryotsu"), EntryStore(server.home)
    text = person.get(REGISTER).text
    assert "食堂-ryotsu" in text
    assert "食堂-mano" not in text
    other = places["mano"]
    assert person.get(f"{REGISTER}{other}").status_code == 404
    for address, body in (
        (other, given("mano", base="1")), (other, given("ryotsu", base="1")), (f"{other}/check", {"base": "1"}),
        (f"{other}/delete", {"base": "1", "reason": "x"}), (str(uuid.uuid4()), given(base="1")),
    ):  # fmt: skip
        assert send(person, f"{REGISTER}{address}", **body).status_code == 404, address
    assert store.newest(other).version == 1
    answer = send(person, f"{REGISTER}save", **given("mano"))
    assert answer.status_code == 422
    moved = send(person, f"{REGISTER}{places['ryotsu']}", **given("mano", base="1"))
    assert moved.status_code == 422, "an entry cannot be moved out of one's areas"
    assert store.newest(places["ryotsu"]).version == 1


def test_record_of_another_form_is_no_entry_of_the_register(server: Server) -> None:
    person, store = server.person("child_ryotsu"), EntryStore(server.home)
    child = child_of("ryotsu")
    visit = store.create(
        "visit", {"visited_on": "2026-04-01", "summary": "秘密の話"}, by="x", department="child", person_id=child
    )
    for address in (visit.record_id, f"{visit.record_id}/check"):
        assert send(person, f"{REGISTER}{address}", **given(base="1")).status_code == 404
    assert person.get(f"{REGISTER}{visit.record_id}").status_code == 404
    assert store.newest(visit.record_id).version == 1


def test_entry_is_kept_once_changed_checked_and_deleted(server: Server) -> None:
    person, store = server.person("child_ryotsu"), EntryStore(server.home)
    body = given(name="<i>駅前の部屋")
    for status in (302, 302):
        assert send(person, f"{REGISTER}save", **body).status_code == status
    kept = store.newest(body["record_id"])
    assert (kept.version, kept.entered_by, kept.person_id) == (1, "child_ryotsu", None)
    assert "<i>駅前" not in person.get(f"{PAGE}ryotsu").text
    assert send(person, f"{REGISTER}{kept.record_id}", **{**body, "name": "駅裏の部屋", "base": "1"}).status_code == 302
    assert send(person, f"{REGISTER}{kept.record_id}", **{**body, "name": "古い画面", "base": "1"}).status_code == 409
    assert send(person, f"{REGISTER}{kept.record_id}/check", base="2").status_code == 302
    newest = store.newest(kept.record_id)
    assert (newest.version, newest.content["name"]) == (3, "駅裏の部屋")
    assert newest.content["checked_on"] > "2026-04-01"
    assert send(person, f"{REGISTER}{kept.record_id}/delete", base="3").status_code == 422
    assert send(person, f"{REGISTER}{kept.record_id}/delete", base="3", reason="閉じた").status_code == 302
    assert "駅裏の部屋" not in person.get(f"{PAGE}ryotsu").text
    assert person.get(f"{REGISTER}{kept.record_id}").status_code == 404


def sheet(person: Person, child: str) -> str:
    """The sheet of a child, found by its number."""
    found = send(person, "/entry/child/search", number=child).text
    address = re.search(r'href="(/entry/child/[\w-]{40,})"', found)
    assert address
    return person.get(address.group(1)).text


def test_sheet_shows_what_the_child_s_area_has_and_nothing_where_the_area_is_hidden(
    server: Server, places: dict[str, str]
) -> None:
    own = sheet(server.person("child_ryotsu"), child_of("ryotsu"))
    assert "食堂-ryotsu" in own
    assert "食堂-mano" not in own
    hidden = child_of("ryotsu", is_protected=True)
    unauthorised = sheet(server.person("child_all_nodv"), hidden)
    assert "食堂-" not in unauthorised
    assert "近所の場所と人" not in unauthorised
    assert "食堂-ryotsu" in sheet(server.person("child_all"), hidden)


def test_measure_by_telephone_hides_the_place_of_the_sheet_at_once(server: Server, places: dict[str, str]) -> None:
    store, child, person = EntryStore(server.home), child_of("sawata"), server.person("child_all_nodv")
    assert "食堂-sawata" in sheet(person, child)
    measure = {"told_on": "2026-04-01", "measure_from": "2026-04-01", "told_by": "x"}
    kept = store.create("support_measure", measure, by="x", department="child", person_id=child)
    assert "食堂-" not in sheet(person, child)
    store.delete(kept.record_id, 1, by="x", reason="終わり")
