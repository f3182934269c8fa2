"""お知らせ: notices about one's own children only, of kinds that the scope may know; each reader's own state."""

from __future__ import annotations

import re
import uuid

import pytest
import requests

from kodomo.entries.notices import notices as table
from kodomo.entries.store import EntryStore
from tests.security.scratch import CHILD, leaks
from tests.security.servers import Person, Server
from tests.security.test_entry_pages import child_of
from tests.security.test_leaver_pages import send

pytestmark = pytest.mark.slow
PAGE = "/kodomo/notices/"
IDS = re.compile(r'form="chosen" name="notice_id" value="([^"]+)"')
LABEL = re.compile(r"child_label:(P\d{3})")
READERS = [
    "child_all", "child_all_nodv", "child_ryotsu", "child_ryotsu_dv", "guidance_all", "health_all", "education_sawata",
    "welfare_all", "elderly_all", "council_all",
]  # fmt: skip


def pages(person: Person, state: str = "all") -> list[str]:
    """Every page of the notices in a state."""
    found, number = [], 1
    while True:
        answer = person.get(f"{PAGE}?state={state}&page={number}")
        assert answer.status_code == 200
        found.append(answer.text)
        number += 1
        if f"page={number}" not in answer.text:
            return found


def listed(person: Person, state: str = "all") -> dict[str, str]:
    """The child of each notice by its id."""
    rows = [row for text in pages(person, state) for row in re.findall(r"<tr.*?</tr>", text, re.DOTALL)]
    found = [(IDS.search(row), LABEL.search(row)) for row in rows]
    return {match.group(1): label.group(1) for match, label in found if match and label}


def unread(person: Person, address: str = "/kodomo/help") -> int:
    """The number of the bell."""
    found = re.search(r"お知らせ　未読 (\d+)件", person.get(address).text)
    assert found
    return int(found.group(1))


@pytest.fixture(scope="module")
def marked(server: Server) -> dict[str, str]:
    """A line that the health department has marked, for each of some children: the record's id by the child."""
    store, made = EntryStore(server.home), {}
    content = {"fact_person_id": "x", "source_id": "newborn_visits", "line": "l", "what_is_wrong": "秘密の町"}
    for area in ("ryotsu", "mano"):
        for is_protected in (False, True):
            child = child_of(area, is_protected=is_protected)
            made[child] = store.create("disputed_line", content, by="x", department="child", person_id=child).record_id
    return made


@pytest.mark.parametrize("username", READERS)
def test_page_holds_one_s_own_children_without_hidden_places(
    server: Server, marked: dict[str, str], username: str
) -> None:
    person = server.person(username)
    for text in (*pages(person), person.get(f"{PAGE}?state=' or 1=1&kind=<b>&area=x").text):
        assert not leaks(text, person.seen)
        assert "秘密の町" not in text
        assert "<script" not in text
    assert set(listed(person).values()) <= person.seen.children()


def test_bell_of_every_page_counts_the_unread(server: Server, marked: dict[str, str]) -> None:
    person = server.person("child_ryotsu")
    count = len(listed(person, "unread"))
    assert count > 0
    for address in ("/kodomo/", "/kodomo/help", PAGE, "/entry/visit/", "/kodomo/leavers/", "/entry/meeting/"):
        assert unread(person, address) == count, address


@pytest.mark.parametrize("username", ["analyst_all", "executive_all", "partner", "steward_child", "admin"])
def test_notices_are_for_case_workers(server: Server, username: str) -> None:
    person = server.person(username)
    assert person.get(PAGE).status_code == 403
    assert 'class="bell"' not in person.get("/kodomo/").text


def test_marked_line_is_a_notice_where_its_child_is(server: Server, marked: dict[str, str]) -> None:
    def of_marked(username: str) -> set[str]:
        person = server.person(username)
        texts = [person.get(f"{PAGE}?state=all&kind=disputed").text]
        return {name for text in texts for name in LABEL.findall(text)} & set(marked)

    open_ryotsu, hidden_ryotsu, open_mano, hidden_mano = marked
    assert of_marked("child_ryotsu") == {open_ryotsu}
    assert of_marked("child_ryotsu_dv") == {open_ryotsu, hidden_ryotsu}
    assert of_marked("child_mano") == {open_mano}
    assert of_marked("child_all_nodv") == {open_ryotsu, hidden_ryotsu, open_mano, hidden_mano}
    assert "（非表示）" in server.person("child_all_nodv").get(f"{PAGE}?state=all&kind=disputed&area=none").text
    assert not of_marked("council_all") & {hidden_ryotsu, hidden_mano}


def test_notice_of_another_scope_is_neither_opened_nor_marked(server: Server, marked: dict[str, str]) -> None:
    person, other = server.person("child_ryotsu"), server.person("child_mano")
    foreign = set(listed(other)) - set(listed(person))
    assert foreign
    for notice_id in (next(iter(foreign)), str(uuid.uuid4()), "", "' or 1=1"):
        answer = send(person, f"{PAGE}open", notice_id=notice_id)
        assert answer.status_code == 404
        assert not CHILD.search(answer.text)
    before = unread(other)
    assert send(person, f"{PAGE}read", notice_id=next(iter(foreign))).status_code == 302
    assert unread(other) == before
    store = EntryStore(server.home)
    with store.engine.connect() as connection:
        hidden = connection.execute(
            table.select().where(table.c.person_id == child_of("ryotsu", is_protected=True))
        ).first()
    assert hidden is not None
    assert send(person, f"{PAGE}open", notice_id=hidden.notice_id).status_code == 404


def test_opening_leads_to_the_sheet_and_is_one_s_own_reading(server: Server, marked: dict[str, str]) -> None:
    person, colleague = server.person("child_ryotsu"), server.person("child_ryotsu_dv")
    notice_id, child = next(iter(listed(person, "unread").items()))
    before, theirs = unread(person), unread(colleague)
    answer = send(person, f"{PAGE}open", notice_id=notice_id)
    assert answer.status_code == 302
    assert child not in answer.headers["Location"]
    assert f"child_label:{child}" in person.get(answer.headers["Location"].replace(server.address, "")).text
    assert (unread(person), unread(colleague)) == (before - 1, theirs)
    assert notice_id in listed(person, "read")
    send(person, f"{PAGE}read", notice_id=notice_id, **{"as": "unread"})
    assert unread(person) == before


def test_each_person_chooses_kinds(server: Server, marked: dict[str, str]) -> None:
    person, colleague = server.person("child_ryotsu"), server.person("child_ryotsu_dv")
    theirs = unread(colleague)
    of_kind = set(LABEL.findall(person.get(f"{PAGE}?state=all&kind=disputed").text))
    assert child_of("ryotsu") in of_kind
    answer: requests.Response = send(person, f"{PAGE}kinds", kind="disputed")
    assert answer.status_code == 302
    text = person.get(f"{PAGE}?state=all").text
    assert set(LABEL.findall(text)) == of_kind
    assert unread(colleague) == theirs
    send(person, f"{PAGE}kinds", kind=["overdue", "due", "back", "risen", "fallen", "not_seen", "arrival", "disputed"])
    assert unread(person) > 1


def test_measure_by_telephone_takes_a_notice_off_at_once(server: Server, marked: dict[str, str]) -> None:
    person, store = server.person("child_mano"), EntryStore(server.home)
    child = child_of("mano")
    assert child in set(listed(person).values())
    measure = {"told_on": "2026-04-01", "measure_from": "2026-04-01", "told_by": "x"}
    kept = store.create("support_measure", measure, by="x", department="child", person_id=child)
    assert child not in set(listed(person).values())
    assert child in set(listed(server.person("child_all_nodv")).values())
    store.delete(kept.record_id, 1, by="x", reason="終わり")


def test_page_is_logged_with_whom_it_showed(server: Server) -> None:
    person = server.person("child_ryotsu")
    shown = set(listed(person).values())
    accesses = [row for row in EntryStore(server.home).accesses("child_ryotsu") if row["action"] == "notices_list"]
    assert accesses[-1]["detail"]["conditions"] == ["all"]
    assert set().union(*(row["detail"]["shown"] for row in accesses)) >= shown
