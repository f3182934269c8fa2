"""個票: of a child of the scope only, under a key that belongs to one session and publication."""

from __future__ import annotations

import io
import re
import unicodedata
import uuid

import pytest
import requests
from pypdf import PdfReader

from kodomo.entries.disputes import answer_id
from kodomo.entries.store import EntryStore
from superset_config.pages.child_keys import Keys
from tests.security.scratch import CHILD, CHILDREN, leaks, tells_of_the_machine
from tests.security.servers import Person, Server
from tests.security.test_entry_pages import child_of, post, printed_text

pytestmark = pytest.mark.slow
GONE = "この個票は開けません"
ADDRESS = re.compile(r'href="(/entry/child/[\w-]{40,})"')


def addresses(person: Person, **terms: str) -> dict[str, str]:
    """Address of the sheet of each child that a search finds, by the name that the scratch warehouse gives it."""
    text = post(person, "/entry/child/search", **{"name": "display_name", **terms}).text
    rows = re.findall(r"<tr>.*?</tr>", text, re.DOTALL)
    found = [(CHILD.search(row), ADDRESS.search(row)) for row in rows]
    return {name.group(): address.group(1) for name, address in found if name and address}


def test_search_leads_to_the_sheets_of_one_s_own_children(server: Server) -> None:
    person = server.person("child_ryotsu")
    found = addresses(person)
    assert set(found) == {child.name for child in CHILDREN if child.area == "ryotsu" and not child.is_protected}
    for child, address in list(found.items())[:3]:
        assert child not in address
        answer = person.get(address)
        assert answer.status_code == 200
        assert f"display_name:{child}" in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert not leaks(answer.text, person.seen)
        assert set(CHILD.findall(answer.text)) == {child}
        assert not re.search(r"<title>[^<]*P\d{3}", answer.text)


def address_of(person: Person, child: str) -> str:
    """Address of the sheet of one child."""
    return addresses(person, name="", number=child)[child]


@pytest.mark.parametrize(
    "username",
    ["child_all", "child_all_nodv", "guidance_all", "health_all", "education_all", "welfare_all", "elderly_all",
     "council_all"],
)  # fmt: skip
def test_sheet_shows_an_audience_its_own_columns_and_facts_only(server: Server, username: str) -> None:
    person = server.person(username)
    found = addresses(person)
    assert found
    for child, address in [*found.items()][:: max(1, len(found) // 4)]:
        answer = person.get(address)
        assert answer.status_code == 200
        assert not leaks(answer.text, person.seen), child
        assert not tells_of_the_machine(answer.text, server.home.root)
        assert "<script" not in answer.text


def test_key_of_another_session_scope_or_publication_opens_nothing(server: Server) -> None:
    person, other = server.person("child_ryotsu"), server.person("child_all")
    own = addresses(person)
    tried = [
        *[address_of(other, child) for child in (child_of("mano"), next(iter(own)))],
        f"/entry/child/{child_of('ryotsu')}",
        "/entry/child/" + "A" * 64,
        *[f"/entry/child/{key}" for key in _made_with_the_secret(server, person)],
    ]
    for address in tried:
        answer = person.get(address)
        assert answer.status_code == 404, address
        assert GONE in answer.text
        assert not CHILD.search(answer.text)
    again = server.log_in("child_ryotsu")
    assert again.get(next(iter(own.values()))).status_code == 404
    assert person.get(next(iter(own.values()))).status_code == 200


def _made_with_the_secret(server: Server, person: Person) -> list[str]:
    """Keys of a child outside the scope and, of one inside, for an earlier publication: valid in all else."""
    secret = server.home.secret_key.read_bytes().strip()
    session_id = next(cookie.value for cookie in person.http.cookies if cookie.name == "session")
    publication = (server.home.published / "current").resolve().name
    assert Keys(secret, session_id, publication).key_of(child_of("ryotsu")) in addresses(person)[child_of("ryotsu")]
    return [
        Keys(secret, session_id, publication).key_of(child_of("mano")),
        Keys(secret, session_id, "20260331T000000-scratch").key_of(child_of("ryotsu")),
    ]


def test_protected_child_is_on_no_sheet_of_an_area_and_without_place_for_the_unauthorised(server: Server) -> None:
    hidden = child_of("ryotsu", is_protected=True)
    assert hidden not in addresses(server.person("child_ryotsu"))
    person = server.person("child_all_nodv")
    text = person.get(address_of(person, hidden)).text
    assert "（非表示）" in text
    assert not leaks(text, person.seen)
    assert f"area_name:{hidden}" not in text
    assert (
        f"area_name:{hidden}"
        in server.person("child_ryotsu_dv").get(addresses(server.person("child_ryotsu_dv"))[hidden]).text
    )


def test_family_cases_chains_and_scores_are_for_the_audiences_that_have_them(server: Server) -> None:
    def shown(username: str) -> str:
        person = server.person(username)
        return person.get(next(iter(addresses(person).values()))).text

    child, health, education, council = map(shown, ("child_all", "health_all", "education_all", "council_all"))
    for text, sections in (
        (child, {"items", "family", "chains", "timeline", "history", "plans", "decisions"}),
        (health, {"items", "family", "timeline", "history"}),
        (education, {"items", "timeline"}),
        (council, {"timeline"}),
    ):
        assert set(re.findall(r'<section id="(\w+)"', text)) == sections
    assert "ケースの数" not in health
    assert "step_label:" not in health
    assert "total_score" not in council
    assert 'class="tier' not in council
    assert "決定を記録する" in child
    assert "決定を記録する" not in health + education + council


def test_kinds_of_events_are_chosen_by_the_address(server: Server) -> None:
    person = server.person("child_ryotsu")
    address = next(iter(addresses(person).values()))
    assert person.get(f"{address}?kind=health").status_code == 200
    for nonsense in ("?kind=' or 1=1", "?kind=", "?kind=nothing&x=1"):
        answer = person.get(address + nonsense)
        assert answer.status_code == 200
        assert "or 1=1" not in answer.text


def test_print_needs_a_purpose_and_says_for_whom_and_for_what(server: Server) -> None:
    person, purpose = server.person("child_ryotsu"), "ケース会議のため"
    child, address = next(iter(addresses(person).items()))
    assert post_to(person, address, purpose=" ").status_code == 422
    kept = EntryStore(server.home).accesses("child_ryotsu")
    assert not [row for row in kept if row["action"] == "child_print"]
    answer = post_to(person, address, purpose=purpose)
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF")
    assert answer.headers["Cache-Control"] == "no-store"
    pages = PdfReader(io.BytesIO(answer.content)).pages
    text = unicodedata.normalize("NFKC", "".join("".join(page.extract_text() for page in pages).split()))
    assert {"個票", "child_ryotsu", purpose} <= {word for word in ("個票", "child_ryotsu", purpose) if word in text}
    assert not leaks(text, person.seen)
    last = EntryStore(server.home).accesses("child_ryotsu")[-1]
    assert (last["action"], last["purpose"], last["detail"]) == ("child_print", purpose, {"person_id": child})
    other = address_of(server.person("child_all"), child_of("mano"))
    assert post_to(person, other, purpose=purpose).status_code == 404


def test_explanation_for_the_family_has_no_points_and_is_logged(server: Server) -> None:
    person, purpose = server.person("child_ryotsu"), "家庭訪問で渡す"
    child, address = next(iter(addresses(person).items()))
    asked = {"page": "explain", "person_id": child, "purpose": purpose}
    for wrong in ({"purpose": ""}, {"person_id": ""}, {"person_id": child_of("mano")}):
        assert post_to(person, address, **{**asked, **wrong}).status_code == 422, wrong
    answer = post_to(person, address, **asked)
    assert answer.headers["Cache-Control"] == "no-store"
    text = printed_text(answer)
    for words in ("ご連絡した理由の説明", purpose, "child_ryotsu", "それがあるかどうかも、お答えできません"):
        assert words in text, words
    # Records of no listed kind are not told, whatever they are called.
    assert not re.search(r"fact_label|item_label|source_label|score|[0-9]点", text)
    last = EntryStore(server.home).accesses("child_ryotsu")[-1]
    assert (last["action"], last["purpose"]) == ("child_explanation", purpose)
    assert last["detail"] == {"person_id": child, "reader_id": child}
    other = server.person("health_all")
    assert post_to(other, next(iter(addresses(other).values())), **asked).status_code == 403
    hidden = child_of("kanai", is_protected=True)
    unauthorised, authorised = server.person("child_all_nodv"), server.person("child_all")
    asked["person_id"] = hidden
    assert post_to(unauthorised, address_of(unauthorised, hidden), **asked).status_code == 422
    assert post_to(authorised, address_of(authorised, hidden), **asked).content.startswith(b"%PDF")


def test_line_is_marked_on_one_s_own_sheet_and_shown_until_it_is_mended(server: Server) -> None:
    person = server.person("child_ryotsu")
    found = addresses(person)
    child, address = list(found.items())[-2]
    key = re.search(r'form="dispute" name="fact" value="([^"]+)"', person.get(address).text).group(1)
    assert child in key
    for wrong, status in (({"fact": "x"}, 422), ({"fact": key, "send": "1"}, 422)):
        assert post_to(person, address, "dispute", **wrong).status_code == status, wrong
    assert "データ管理担当が確かめて答えます" in post_to(person, address, "dispute", fact=key).text
    sent = {"fact": key, "send": "1", "what_is_wrong": "別の子どものこと", "record_id": str(uuid.uuid4())}
    stranger = next(iter(found.values()))
    assert post_to(person, stranger, "dispute", **sent).status_code == 422
    other = address_of(server.person("child_all"), child_of("mano"))
    assert post_to(person, other, "dispute", **sent).status_code == 404
    store = EntryStore(server.home)
    assert not store.current("disputed_line", person_id=child)
    page = post_to(person, address, "dispute", **sent).text
    assert "別の子どものこと" in page
    assert "指摘中" in page
    # The scratch publication has nothing to determine with.
    assert "いま計算できません" in page
    content = store.current("disputed_line", person_id=child)[0].content
    assert content["delivery_id"] == f"delivery_id:{child}"
    assert "別の子どものこと" in person.get(address).text
    # A department that does not see the fact does not see that it is marked.
    council = server.person("council_all")
    theirs = addresses(council).get(child)
    assert theirs is None or "別の子どものこと" not in council.get(theirs).text
    store.create("line_answer", {"answer": "right", "answer_reason": "台帳のとおり"}, by="x", department="health",
                 person_id=child, record_id=answer_id(sent["record_id"]))  # fmt: skip
    page = person.get(address).text
    assert "正しいという回答" in page
    assert "台帳のとおり" in page
    assert "いま計算できません" not in page


def post_to(person: Person, address: str, page: str = "print", **body: str) -> requests.Response:
    """Send a form of a sheet."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', person.get("/entry/child/").text)
    assert token
    return person.http.post(
        f"{person.server.address}{address}/{page}", data={"csrf_token": token.group(1), **body}, timeout=60
    )


def test_looking_at_a_sheet_is_kept(server: Server) -> None:
    person = server.person("child_ryotsu")
    child, address = next(iter(addresses(person).items()))
    person.get(address)
    last = EntryStore(server.home).accesses("child_ryotsu")[-1]
    assert (last["action"], last["detail"]) == ("child_view", {"person_id": child})


@pytest.mark.parametrize("username", ["analyst_all", "executive_all", "steward_child", "partner", "newcomer", "admin"])
def test_accounts_without_sheets_open_none(server: Server, username: str) -> None:
    person = server.person(username)
    address = next(iter(addresses(server.person("child_all")).values()))
    assert person.get(address).status_code == 403
    assert post(person, "/entry/child/search", name="P").status_code == 403
