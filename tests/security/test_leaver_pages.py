"""市を離れた子ども, 転入した子ども and 引継ぎ: of one's own children only, without the place of a protected family."""

from __future__ import annotations

import re
import uuid

import pytest
import requests

from kodomo.entries.store import EntryStore
from tests.security.scratch import CHILD, CHILDREN, leaks, tells_of_the_machine
from tests.security.servers import Person, Server
from tests.security.test_entry_pages import child_of, printed_text

pytestmark = pytest.mark.slow
LISTS = ("/kodomo/leavers/", "/kodomo/arrivals/")
ADDRESS = re.compile(r'href="(/kodomo/leavers/[\w-]{40,})"')
GIVEN = {"receiver": "city_centre", "addressee": "隣の市 こども家庭センター", "purpose": "転出の引継ぎ"}


def send(person: Person, address: str, **body: str) -> requests.Response:
    """Send a form as the browser does."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', person.get("/entry/child/").text)
    assert token
    return person.http.post(
        f"{person.server.address}{address}",
        data={"csrf_token": token.group(1), **body},
        headers={"Referer": person.server.address},
        allow_redirects=False,
        timeout=60,
    )


def listed(person: Person, state: str = "all") -> dict[str, str]:
    """Address of each child on all pages of the list of those who left, by its mark."""
    found: dict[str, str] = {}
    number, label = 1, re.compile(r"child_label:(P\d{3})")
    while True:
        text = person.get(f"/kodomo/leavers/?state={state}&page={number}").text
        rows = [(label.search(row), ADDRESS.search(row)) for row in re.findall(r"<tr>.*?</tr>", text, re.DOTALL)]
        found |= {name.group(1): address.group(1) for name, address in rows if name and address}
        number += 1
        if f"page={number}" not in text:
            return found


@pytest.mark.parametrize(
    "username",
    ["child_all", "child_all_nodv", "child_ryotsu", "child_ryotsu_dv", "guidance_all", "health_all",
     "education_sawata", "welfare_all"],
)  # fmt: skip
def test_lists_and_sheets_hold_one_s_own_children_without_hidden_places(server: Server, username: str) -> None:
    person = server.person(username)
    for address in (*LISTS, *(f"{LISTS[0]}?state={state}" for state in ("closed", "all", "' or 1=1"))):
        answer = person.get(address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert not leaks(answer.text, person.seen), address
        assert "<script" not in answer.text
    found = listed(person)
    assert set(found) == person.seen.children()
    for child, address in [*found.items()][:: max(1, len(found) // 4)]:
        answer = person.get(address)
        assert answer.status_code == 200
        assert child not in address
        assert not leaks(answer.text, person.seen), child
        assert not tells_of_the_machine(answer.text, server.home.root)


@pytest.mark.parametrize("username", ["elderly_all", "council_all", "analyst_all", "executive_all", "partner", "admin"])
def test_lists_are_for_those_who_follow_children(server: Server, username: str) -> None:
    person = server.person(username)
    for address in (*LISTS, "/entry/handover/"):
        answer = person.get(address)
        assert answer.status_code == 403
        assert not leaks(answer.text, person.seen)


def test_start_page_counts_those_of_the_lists(server: Server) -> None:
    person = server.person("child_ryotsu")
    count = len(listed(person, "open"))
    assert f"<b>{count}人</b>市を離れ、引継ぎの記録がない" in person.get("/kodomo/").text
    assert "市を離れ" not in server.person("executive_all").get("/kodomo/").text


def test_key_of_another_scope_or_session_opens_nothing(server: Server) -> None:
    person, other = server.person("child_ryotsu"), server.person("child_all")
    own = next(iter(listed(person).values()))
    foreign = listed(other)[child_of("mano")]
    for address in (foreign, "/kodomo/leavers/" + "A" * 64, f"/kodomo/leavers/{child_of('ryotsu')}"):
        for answer in (person.get(address), send(person, f"{address}/document", **GIVEN)):
            assert answer.status_code == 404, address
            assert not CHILD.search(answer.text)
    assert server.log_in("child_ryotsu").get(own).status_code == 404


def test_document_is_for_a_receiver_and_a_purpose_and_is_logged(server: Server) -> None:
    person = server.person("child_ryotsu")
    child, address = next(iter(listed(person).items()))
    for wrong in ({"receiver": "x"}, {"receiver": ""}, {"addressee": " "}, {"purpose": ""}, {"purpose": "あ" * 201}):
        assert send(person, f"{address}/document", **{**GIVEN, **wrong}).status_code == 422, wrong
    answer = send(person, f"{address}/document", **GIVEN)
    assert answer.headers["Cache-Control"] == "no-store"
    text = printed_text(answer)
    for words in (
        "引継書",
        "隣の市こども家庭センター",
        "転出の引継ぎ",
        "受け取った職員",
        "child_ryotsu",
        "児童福祉法第25条の2",
    ):
        assert words in text, words
    assert not leaks(text, person.seen)
    last = EntryStore(server.home).accesses("child_ryotsu")[-1]
    assert (last["action"], last["purpose"]) == ("handover_document", GIVEN["purpose"])
    assert last["detail"] == {"person_id": child, "receiver": "city_centre"}


def test_receiver_learns_what_the_law_lets_it_know(server: Server) -> None:
    person = server.person("child_ryotsu")
    address = next(iter(listed(person).values()))
    texts = {
        receiver: printed_text(send(person, f"{address}/document", **{**GIVEN, "receiver": receiver}))
        for receiver in ("city_centre", "school", "adult_services")
    }
    for words in ("引き継ぐ理由", "縦の連鎖", "横の連鎖", "会議の決定", "家族(離れたとき)"):
        assert words in texts["city_centre"], words
    for words in ("引き継ぐ理由", "reasons_label", "連鎖", "会議の決定", "tier"):
        assert words not in texts["school"], words
    assert "家族(離れたとき)" in texts["school"]
    assert "家族(離れたとき)" not in texts["adult_services"]


def test_visit_since_the_batch_is_when_the_child_was_last_seen(server: Server) -> None:
    person, store = server.person("child_ryotsu"), EntryStore(server.home)
    child = child_of("ryotsu")
    address = listed(person)[child]
    visit = {"visited_on": "2031-03-05", "way": "訪問", "result": "会えた"}
    store.create("visit", visit, by="x", department="child", person_id=child)
    nobody_met = {"visited_on": "2031-03-06", "way": "訪問", "result": "会えなかった"}
    store.create("visit", nobody_met, by="x", department="child", person_id=child)
    seen = re.search(r"<b>最終確認</b>([^<]*)", person.get(address).text)
    assert seen
    assert seen.group(1).strip() == "2031年3月5日　訪問（子ども若者課）"
    rows = re.findall(r"<tr>.*?</tr>", person.get("/kodomo/leavers/?state=all").text, re.DOTALL)
    assert [child in row for row in rows if "2031年3月5日" in row] == [True]
    texts = {
        receiver: printed_text(send(person, f"{address}/document", **{**GIVEN, "receiver": receiver}))
        for receiver in ("city_centre", "school")
    }
    assert "2031年3月5日訪問(子ども若者課)" in texts["city_centre"]
    assert "2031年3月5日" in texts["school"], "a school may know when the child was seen"
    assert "訪問(子ども若者課)" not in texts["school"], "and not that the child department visits it"


def test_document_of_a_protected_family_is_made_by_the_authorised_and_names_no_place(server: Server) -> None:
    hidden = child_of("ryotsu", is_protected=True)
    assert hidden not in listed(server.person("child_ryotsu"))
    unauthorised, authorised = server.person("child_all_nodv"), server.person("child_all")
    address = listed(unauthorised)[hidden]
    assert "（非表示）" in unauthorised.get(address).text
    assert send(unauthorised, f"{address}/document", **GIVEN).status_code == 422
    text = printed_text(send(authorised, f"{listed(authorised)[hidden]}/document", **GIVEN))
    assert "支援措置の対象の家族です" in text
    for column in ("moved_to", "area_name", "household", "residence_label", "handed_to"):
        assert f"{column}:" not in text, column


def record(person: Person, child: str, **more: str) -> requests.Response:
    given = {"outcome": "引き継いだ", "handed_on": "2026-04-02", "handed_to": "隣の市の秘密の窓口"}
    ids = {"about_child_id": child, "person_id": child, "record_id": str(uuid.uuid4())}
    return send(person, "/entry/handover/save", **{**ids, **given, **more})


def test_hand_over_is_recorded_for_one_s_own_children_and_moves_them_off_the_list(server: Server) -> None:
    person, store = server.person("child_ryotsu"), EntryStore(server.home)
    before = len(store.current("handover", with_deleted=True))
    child, address = next(reversed(listed(person, "open").items()))
    other = child_of("mano")
    assert record(person, other).status_code == 404
    assert record(person, child, person_id=other).status_code == 404
    assert record(person, child, handed_to="").status_code == 422
    assert record(person, child_of("ryotsu", is_protected=True)).status_code == 404
    assert record(server.person("education_sawata"), child).status_code == 403
    assert len(store.current("handover", with_deleted=True)) == before
    answer = record(person, child)
    assert answer.status_code == 302
    assert answer.headers["Location"] == address
    assert child not in listed(person, "open")
    assert child in listed(person, "closed")
    [kept] = store.current("handover", person_id=child)
    assert kept.content["left_on"] == "2026-04-01"
    assert kept.department == "child"
    # Corrected, the record still says which leaving it is about; deleted, the child waits again.
    changed = send(
        person, f"/entry/handover/{kept.record_id}", base="1", outcome="引継ぎは要らない", handed_on="2026-04-02",
        reason="戻ることが決まった",
    )  # fmt: skip
    assert changed.status_code == 302
    assert store.newest(kept.record_id).content["left_on"] == "2026-04-01"
    assert send(person, f"/entry/handover/{kept.record_id}/delete", base="2", reason="誤り").status_code == 302
    assert child in listed(person, "open")


def test_text_of_a_hand_over_of_a_protected_child_is_for_the_authorised(server: Server) -> None:
    hidden = child_of("kanai", is_protected=True)
    unauthorised, authorised = server.person("child_all_nodv"), server.person("child_all")
    assert record(authorised, hidden).status_code == 302
    for address in (listed(unauthorised)[hidden], "/entry/handover/", "/kodomo/leavers/?state=closed"):
        assert "秘密の窓口" not in unauthorised.get(address).text, address
    assert "秘密の窓口" in authorised.get(listed(authorised)[hidden]).text
    [kept] = EntryStore(server.home).current("handover", person_id=hidden)
    assert unauthorised.get(f"/entry/handover/{kept.record_id}").status_code == 404


def test_support_of_a_leaver_is_ended_by_those_of_the_meeting_in_their_scope(server: Server) -> None:
    person, store = server.person("child_ryotsu"), EntryStore(server.home)
    own, foreign = child_of("ryotsu"), child_of("mano")
    content = {"started_on": "2026-03-01", "support_content": "養育支援訪問", "lead_agency": "子ども若者課"}
    mine, other = (store.create("support", content, by="x", department="child", person_id=p) for p in (own, foreign))
    address, ended = listed(person)[own], {"base": "1", "ended_on": "2026-04-02", "outcome": "転出・終結"}
    for record_id, given, status in (
        (other.record_id, ended, 404), (str(uuid.uuid4()), ended, 404), (mine.record_id, {"base": "1"}, 422),
        (mine.record_id, {**ended, "ended_on": "2026-02-01"}, 422), (mine.record_id, {**ended, "base": "7"}, 409),
    ):  # fmt: skip
        assert send(person, f"{address}/support/{record_id}", **given).status_code == status, given
    health = server.person("health_all")
    if own in (reached := listed(health)):
        assert send(health, f"{reached[own]}/support/{mine.record_id}", **ended).status_code == 403
    assert store.newest(mine.record_id).version == 1
    assert send(person, f"{address}/support/{mine.record_id}", **ended).status_code == 302
    assert store.newest(mine.record_id).content == {**content, "ended_on": "2026-04-02", "outcome": "転出・終結"}
    assert "を終了にする" not in person.get(address).text


def test_every_child_of_the_scratch_town_left(server: Server) -> None:
    assert set(listed(server.person("child_all"))) == {child.name for child in CHILDREN}
