"""The pages of entry and decision: open to permitted accounts only, about the people in their scope only."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import re
import unicodedata
import uuid

import pytest
import requests
from pypdf import PdfReader

from kodomo.access.access import read_access
from kodomo.access.staff import DEMO_STAFF, read_staff
from kodomo.entries.disputes import answer_id, content_of
from kodomo.entries.meeting import record_id_of
from kodomo.entries.store import EntryStore
from kodomo.workshop.drafts import SUBMITTED, DraftStore
from superset_config.pages.base import TEMPLATES, url_of
from tests.security.scratch import CHILDREN, MARKUP, leaks, tells_of_the_machine
from tests.security.servers import Person, Server

pytestmark = pytest.mark.slow

ACCESS = read_access()
STAFF = {member.username: member for member in read_staff(DEMO_STAFF, ACCESS)}
ACCOUNTS = [
    "child_all", "child_all_nodv", "child_ryotsu", "child_ryotsu_dv", "education_sawata", "health_all", "guidance_all",
    "analyst_all", "approver_all", "executive_all", "steward_health", "steward_child", "partner", "newcomer", "admin",
]  # fmt: skip
# What each kind of account may open, from the design: determinations are the child department's, records the holder's.
FOLLOWING = {
    "leavers", "arrivals", "visit", "notices", "area", "area_resource", "status_checks", "status_check",
    "status_check_return",
}  # fmt: skip
TELLING = {"unclaimed_benefits", "benefit_check"}
MAY = {
    "child_all": {
        "start", "children", "child", "assess", "assessment", "meeting", "support_plan", "paper_case",
        "support_measure", "person_request", "link_review", "delivery_decision", "code_decision",
        "quality_task", "disputed_line", "personal_files", "handover", "model", "known_cases", *TELLING, *FOLLOWING,
    },
    "child_all_nodv": {
        "start", "children", "child", "assess", "assessment", "meeting", "support_plan", "paper_case", "person_request",
        "handover", *TELLING, *FOLLOWING,
    },
    "child_ryotsu": {
        "start", "children", "child", "assess", "assessment", "meeting", "support_plan", "paper_case", "handover",
        *TELLING, *FOLLOWING,
    },
    "child_ryotsu_dv": {
        "start", "children", "child", "assess", "assessment", "meeting", "support_plan", "paper_case",
        "support_measure", "handover", *TELLING, *FOLLOWING,
    },
    "education_sawata": {"start", "children", "child", "school_consultation", "school_absence", *FOLLOWING},
    "health_all": {"start", "children", "child", "handover", *FOLLOWING},
    "guidance_all": {
        "start", "children", "child", "meeting", "assessment", "support_plan", "handover", *FOLLOWING,
    },
    "steward_health": {
        "start", "quality_task", "delivery_decision", "code_decision", "disputed_line", "personal_files",
    },
    "steward_child": {
        "start", "quality_task", "link_review", "delivery_decision", "code_decision", "disputed_line", "personal_files",
    },
    "analyst_all": {"start", "model", "known_cases"},
    "approver_all": {
        "start", "children", "child", "meeting", "assessment", "support_plan", "handover", "model_approval",
        "assess", "paper_case", "person_request", *TELLING, *FOLLOWING,
    },
    "executive_all": {"start", "area", "status_check_return"},
    "partner": {"start", "area"},
}  # fmt: skip
FORM = {"registered_on": "1998-03-01", "case_class": "要保護児童"}


def post(person: Person, path: str, **body: str) -> requests.Response:
    """Send a form as the browser does."""
    page = person.get("/".join(path.split("/")[:3]) + "/").text
    token_field = re.search(r'name="csrf_token" value="([^"]+)"', page)
    token = {"csrf_token": token_field.group(1) if token_field else person.token}
    return person.http.post(
        f"{person.server.address}{path}", data={**token, **body}, headers={"Referer": person.server.address},
        allow_redirects=False, timeout=60,
    )  # fmt: skip


def store(server: Server) -> EntryStore:
    return EntryStore(server.home)


def child_of(area: str, *, is_protected: bool = False) -> str:
    """A child of an area, as the child department sees them."""
    return next(child.name for child in CHILDREN if child.area == area and child.is_protected == is_protected)


def new_case(person: Person, child: str, **more: str) -> requests.Response:
    given = {"about_child_id": child, "person_id": child, "record_id": str(uuid.uuid4()), **FORM, **more}
    return post(person, "/entry/paper_case/save", **given)


def test_the_table_of_this_test_is_that_of_the_rules() -> None:
    for username in ACCOUNTS:
        pages = {page.name for page in ACCESS.entry_pages_of(STAFF[username].scope)}
        assert pages == MAY.get(username, set()), username


@pytest.mark.parametrize("username", ACCOUNTS)
def test_pages_open_for_permitted_accounts_only(server: Server, username: str) -> None:
    person = server.person(username)
    for page in ACCESS.entry_pages:
        answer = person.get(url_of(page))
        if page in MAY.get(username, set()):
            assert answer.status_code in {200, 400}, (page, answer.status_code)
            assert answer.headers["Cache-Control"] == "no-store"
        else:
            assert answer.status_code == 403, page
            assert "権限がありません" in answer.text
        # The steward of a marked line sees in which delivery it is, not whose.
        shown = re.sub(r"delivery_id:P\d{3}", "", answer.text) if page == "disputed_line" else answer.text
        assert not leaks(shown, person.seen), page
        assert not tells_of_the_machine(answer.text, server.home.root), page


@pytest.mark.parametrize("username", ["child_all_nodv", "guidance_all", "executive_all", "steward_child", "admin"])
def test_the_model_is_for_analysts_only(server: Server, username: str) -> None:
    person = server.person(username)
    drafts = DraftStore(store(server))
    before = len(drafts.current())
    draft = drafts.create(f"d-{username[:5].replace('_', '-')}", "v2", by="analyst_all")
    parts = ("", "/coefficients", "/item", "/submit", "/withdraw", "/past", "/names")
    for path in ("", "new", "compare", *(f"{draft.draft_id}{part}" for part in parts)):
        address = f"/kodomo/models/{path}"
        form = {"name": "v9", "base": "1", "type": "abuse", "record_id": str(uuid.uuid4()), "comment": "x"}
        answer = person.send("POST", address, data={**form, "csrf_token": person.token})
        assert answer.status_code in {403, 405}, address
        assert person.get(address).status_code in {403, 405}, address
    assert len(drafts.current()) == before + 1
    assert drafts.draft(draft.draft_id).version == 1


@pytest.mark.parametrize("username", ["child_all", "child_all_nodv", "analyst_all", "executive_all", "admin"])
def test_the_model_is_approved_and_recalled_by_approvers_only(server: Server, username: str) -> None:
    person = server.person(username)
    drafts = DraftStore(store(server))
    draft = drafts.create(f"s-{username.replace('_', '-')}", "v2", by="child_kanai")
    drafts.submit(draft.draft_id, 1, by="child_kanai", comment="試す")
    form = {
        "base": "2",
        "status": "trial",
        "from_on": "2026-04-01",
        "reason": "x",
        "version": "v2",
        "last_on": "2026-04-01",
    }
    parts = ("", "/approve", "/return", "/past", "/names")
    for path in ("", "retire", "recall", "cancel", *(f"{draft.draft_id}{part}" for part in parts)):
        address = f"/kodomo/model-approval/{path}"
        answer = person.send("POST", address, data={**form, "csrf_token": person.token})
        assert answer.status_code in {403, 405}, address
        assert person.get(address).status_code in {403, 405}, address
    assert drafts.draft(draft.draft_id).state == SUBMITTED
    assert drafts.in_force.changes() == []


def test_an_approver_writes_and_submits_no_draft(server: Server) -> None:
    person = server.person("approver_all")
    drafts = DraftStore(store(server))
    draft = drafts.create("s-approver", "v2", by="analyst_all")
    for path in (
        "",
        "new",
        "compare",
        *(f"{draft.draft_id}{part}" for part in ("", "/comment", "/submit", "/withdraw")),
    ):
        form = {"name": "v9", "base": "1", "type": "abuse", "record_id": str(uuid.uuid4()), "comment": "x"}
        answer = person.send("POST", f"/kodomo/models/{path}", data={**form, "csrf_token": person.token})
        assert answer.status_code in {403, 405}, path
        assert person.get(f"/kodomo/models/{path}").status_code in {403, 405}, path
    assert drafts.draft(draft.draft_id).version == 1


@pytest.mark.parametrize("username", ["health_all", "analyst_all", "education_sawata", "newcomer", "admin"])
def test_forbidden_accounts_can_send_nothing(server: Server, username: str) -> None:
    person = server.person(username)
    child = child_of("ryotsu")
    before = len(store(server).current(with_deleted=True))
    for path in (
        "/entry/assess/search", "/entry/assess/prepare", "/entry/assess/result", "/entry/paper_case/save",
        "/entry/meeting/child", "/entry/meeting/decide", "/entry/person_request/document.pdf",
        "/entry/link_review/decide", "/entry/link_review/decide_several", "/entry/code_decision/decide",
        "/kodomo/quality-tasks/decide",
    ):  # fmt: skip
        answer = post(person, path, person_id=child, about_child_id=child, name="P", purpose="試し")
        assert answer.status_code == 403, path
        assert not leaks(answer.text, person.seen)
    assert len(store(server).current(with_deleted=True)) == before


def test_only_the_log_in_page_is_public(server: Server) -> None:
    for page in ACCESS.entry_pages:
        answer = requests.get(f"{server.address}{url_of(page)}", allow_redirects=False, timeout=60)
        assert answer.status_code == 302
        assert "/login/" in answer.headers["Location"]
    answer = requests.post(
        f"{server.address}/entry/assess/search", data={"name": "P"}, allow_redirects=False, timeout=60
    )
    assert answer.status_code in {302, 400}


def test_a_form_without_its_token_is_refused(server: Server) -> None:
    person = server.person("child_all")
    before = len(store(server).accesses("child_all"))
    answer = person.http.post(
        f"{server.address}/entry/paper_case/search", data={"name": "P"}, allow_redirects=False, timeout=60
    )
    assert answer.status_code in {302, 400}
    assert len(store(server).accesses("child_all")) == before


def test_a_search_finds_one_s_own_children_and_is_kept(server: Server) -> None:
    person = server.person("child_ryotsu")
    answer = post(person, "/entry/assess/search", name="display_name")
    assert answer.status_code == 200
    person_ids = set(re.findall(r'name="person_id" value="(P\d+)"', answer.text))
    assert person_ids == {child.name for child in CHILDREN if child.area == "ryotsu" and not child.is_protected}
    assert not leaks(answer.text, person.seen)
    last = store(server).accesses("child_ryotsu")[-1]
    assert last["action"] == "assess_search"
    assert set(last["detail"]["shown"]) == person_ids
    assert "display_name" not in str(last["detail"])
    nothing = post(person, "/entry/assess/search", number=child_of("mano"))
    assert "見つかりません" in nothing.text


def listed(person: Person, **conditions: str) -> set[str]:
    """Marks of the children on the first page of the list."""
    answer = person.get("/kodomo/children/", params=conditions)
    assert answer.status_code == 200
    assert not leaks(answer.text, person.seen), conditions
    children = re.findall(r'<a href="/entry/child/[\w-]+">child_label:(P\d+)[^<]*</a>', answer.text)
    # Each leads to its page.
    assert set(children) == set(re.findall(r"child_label:(P\d+)", answer.text))
    return set(children)


@pytest.mark.parametrize(
    "username", ["child_all", "child_all_nodv", "child_ryotsu", "education_sawata", "health_all", "guidance_all",
                 "council_all", "welfare_all", "elderly_all"],
)  # fmt: skip
def test_list_of_children_is_that_of_the_scope(server: Server, username: str) -> None:
    person = server.person(username)
    mine = person.seen.children()
    shown: set[str] = set()
    for number in range(1, -(-len(mine) // 50) + 1):
        shown |= listed(person, page=str(number))
    assert shown == mine
    # A number of another page, and one that is none.
    assert listed(person, page="999") <= mine
    assert listed(person, page="' or 1=1") <= mine


def test_list_of_an_area_tells_no_place_of_the_protected(server: Server) -> None:
    of_area = {child.name for child in CHILDREN if child.area == "mano"}
    protected = {child.name for child in CHILDREN if child.is_protected}
    assert listed(server.person("child_all"), area="mano") == of_area
    assert listed(server.person("child_all_nodv"), area="mano") == of_area - protected
    assert listed(server.person("child_ryotsu"), area="mano") == set()


@pytest.mark.parametrize(
    ("username", "condition", "value"),
    [
        ("education_sawata", "council", "no"),
        ("education_sawata", "meeting", "none"),
        ("health_all", "meeting", "none"),
        ("council_all", "tier", "high"),
        ("council_all", "known", "unknown"),
        ("child_ryotsu", "tier", "' or 1=1 --"),
        ("child_ryotsu", "display_name", "x"),
    ],
)
def test_condition_that_a_scope_may_not_use_finds_no_child(
    server: Server, username: str, condition: str, value: str
) -> None:
    assert listed(server.person(username), **{condition: value}) == set()


@pytest.mark.parametrize("username", ["child_ryotsu", "education_sawata"])
def test_numbers_of_the_start_page_are_those_of_their_lists(server: Server, username: str) -> None:
    person = server.person(username)
    page = person.get("/kodomo/").text
    assert not leaks(page, person.seen)
    links = re.findall(r'<a href="(/kodomo/children/[^"]*)"[^>]*>(?:<b>|[^<]*　)?([0-9,]+)', page)
    assert len(links) >= 3
    for address, number in links:
        listed_there = person.get(address.replace("&amp;", "&")).text
        assert f"<h2>{number}人" in listed_there, address
        assert "いまは使えない条件" not in listed_there, address


@pytest.mark.parametrize("username", ["executive_all", "partner", "analyst_all", "steward_health"])
def test_start_page_names_no_child_to_those_who_see_none(server: Server, username: str) -> None:
    person = server.person(username)
    page = person.get("/kodomo/").text
    assert not leaks(page, person.seen)
    assert "/kodomo/children/" not in page
    assert "仕事から選ぶ" in page
    assert "使い方と用語" in person.get("/kodomo/help").text


def test_saved_condition_is_shared_within_the_department(server: Server) -> None:
    person, record_id = server.person("child_ryotsu"), str(uuid.uuid4())
    form = {"area": "ryotsu", "name": "両津の子ども", "record_id": record_id}
    answer = post(person, "/kodomo/children/save", **form)
    assert (answer.status_code, answer.headers["Location"]) == (
        302, f"/kodomo/children/?area=ryotsu&saved={record_id}",
    )  # fmt: skip
    for username, is_shared in (
        ("child_ryotsu", True), ("child_all", True), ("guidance_all", False), ("education_sawata", False),
    ):  # fmt: skip
        assert ("両津の子ども" in server.person(username).get("/kodomo/").text) is is_shared, username
    # A name is there once; a condition that the scope cannot judge, and one of a person, cannot be saved.
    again = post(person, "/kodomo/children/save", **{**form, "record_id": str(uuid.uuid4())})
    assert "saved=" not in again.headers["Location"]
    for wrong in ({"area": "mano"}, {"display_name": "x"}, {"area": ""}):
        assert post(person, "/kodomo/children/save", **{**form, "name": "別", **wrong}).status_code == 400, wrong
    remove = f"/kodomo/children/saved/{record_id}/remove"
    assert post(server.person("guidance_all"), remove).status_code == 404
    assert post(server.person("child_all"), remove).status_code == 302
    assert "両津の子ども" not in person.get("/kodomo/").text


def test_words_of_a_search_stand_in_no_address(server: Server) -> None:
    person, child = server.person("child_ryotsu"), child_of("ryotsu")
    answer = post(person, "/kodomo/children/search", q=child, area="ryotsu")
    assert answer.status_code == 302
    place = answer.headers["Location"]
    assert child not in place
    assert "area=ryotsu" in place
    assert f"child_label:{child}" in person.get(place).text
    assert store(server).accesses("child_ryotsu")[-1]["detail"]["shown"] == [child]
    # The key is worth nothing in another session.
    other = server.person("child_ryotsu_dv").get(place)
    assert "検索の言葉はもう残っていません" in other.text
    stranger = child_of("mano")
    place = post(person, "/kodomo/children/search", q=stranger).headers["Location"]
    assert "child_label:" not in person.get(place).text


@pytest.mark.parametrize("area", ["mano", "kanai"])
def test_person_out_of_scope_is_not_on_the_pages(server: Server, area: str) -> None:
    person = server.person("child_ryotsu")
    other = child_of(area)
    before = len(store(server).current(with_deleted=True))
    for path in ("/entry/assess/prepare", "/entry/assess/result", "/entry/paper_case/new", "/entry/meeting/child"):
        answer = post(person, path, person_id=other, purpose="試し")
        assert answer.status_code == 404, path
        assert not leaks(answer.text, person.seen)
    assert new_case(person, other).status_code == 404
    # Nor a stranger as a relative of one's own child.
    own = child_of("ryotsu")
    assert new_case(person, own, person_id=other).status_code == 404
    assert post(person, "/entry/meeting/decide", person_id=other, record_id=str(uuid.uuid4())).status_code == 404
    assert len(store(server).current(with_deleted=True)) == before


def test_protected_children_have_no_place_for_those_not_authorised(server: Server) -> None:
    person = server.person("child_all_nodv")
    child = child_of("mano", is_protected=True)
    answer = post(person, "/entry/assess/prepare", person_id=child)
    assert answer.status_code == 200
    assert "（非表示）" in answer.text
    assert f"area_name:{child}" not in answer.text
    assert not leaks(answer.text, person.seen)


def test_measure_heard_by_telephone_protects_on_entry_pages_at_once(server: Server) -> None:
    person, other = server.person("child_ryotsu_dv"), server.person("child_all_nodv")
    # The last of the area, so that the other tests keep theirs.
    child = [c.name for c in CHILDREN if c.area == "ryotsu" and not c.is_protected][-1]
    assert f"area_name:{child}" in post(other, "/entry/assess/prepare", person_id=child).text
    record_id = str(uuid.uuid4())
    answer = post(
        person, "/entry/support_measure/save", about_child_id=child, person_id=child, record_id=record_id,
        told_on="2026-03-30", measure_from="2026-03-30",
    )  # fmt: skip
    assert answer.status_code == 302
    try:
        assert f"area_name:{child}" not in post(other, "/entry/assess/prepare", person_id=child).text
        assert post(server.person("child_ryotsu"), "/entry/assess/prepare", person_id=child).status_code == 404
        assert f"area_name:{child}" in post(person, "/entry/assess/prepare", person_id=child).text
    finally:
        store(server).delete(record_id, 1, by="test", reason="end")
    assert post(server.person("child_ryotsu"), "/entry/assess/prepare", person_id=child).status_code == 200


SECRET = "避難先のことば"


def test_words_about_a_protected_child_are_for_the_authorised(server: Server) -> None:
    writer, other = server.person("child_ryotsu_dv"), server.person("child_all_nodv")
    child = child_of("ryotsu", is_protected=True)
    decision = {
        "meeting_on": "2026-04-10", "decision": "support", "agrees_with_tier": "no", "disagreement_reason": SECRET,
        "support_content": SECRET, "lead_agency": "子ども若者課", "review_on": "2026-04-20",
    }  # fmt: skip
    support_id = str(uuid.uuid4())
    answer = post(writer, "/entry/meeting/decide", person_id=child, record_id=str(uuid.uuid4()), **decision)
    assert SECRET in answer.text
    support = {"started_on": "2026-04-11", "support_content": SECRET, "lead_agency": "子ども若者課"}
    assert SECRET in post(writer, "/entry/meeting/support", person_id=child, record_id=support_id, **support).text
    page = post(other, "/entry/meeting/child", person_id=child)
    assert page.status_code == 200
    assert "支援が必要" in page.text
    # Who works in one area gives it away by name.
    assert not [word for word in (SECRET, "child_ryotsu_dv") if word in page.text]
    answer = post(other, f"/entry/meeting/support/{support_id}", base="1", **{**support, "support_content": "別"})
    assert answer.status_code == 404
    for person, is_told in ((writer, True), (other, False)):
        answer = person.get("/entry/meeting/list.pdf?state=all&on=2026-04-15")
        text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
        assert (SECRET in "".join(text.split())) is is_told
    # One's own words stay one's own.
    mine = {**decision, "support_content": "自分のことば", "disagreement_reason": "x"}
    assert (
        "自分のことば"
        in post(other, "/entry/meeting/decide", person_id=child, record_id=str(uuid.uuid4()), **mine).text
    )


def test_wrong_decision_is_corrected_by_a_new_version(server: Server) -> None:
    person, record_id = server.person("child_ryotsu"), str(uuid.uuid4())
    # Not the first of the area, so that the other tests keep theirs.
    child = [c.name for c in CHILDREN if c.area == "ryotsu" and not c.is_protected][1]
    decision = {"meeting_on": "2026-04-11", "decision": "none", "agrees_with_tier": "yes", "review_on": "2026-05-11"}
    assert post(person, "/entry/meeting/decide", person_id=child, record_id=record_id, **decision).status_code == 200
    correct = f"/entry/meeting/correct/{record_id}"
    given = {**decision, "decision": "watch", "base": "1", "correction": "聞き違い"}
    assert post(server.person("guidance_all"), correct, **given).status_code == 404
    assert post(server.person("child_all"), f"/entry/meeting/correct/{uuid.uuid4()}", **given).status_code == 404
    assert post(person, correct, **{**given, "correction": ""}).status_code == 422
    assert [v.content["decision"] for v in store(server).history(record_id)] == ["none"]
    assert "第2版（訂正）" in post(person, correct, **given).text
    # Of two corrections of one version the second is refused.
    assert post(server.person("child_all"), correct, **given).status_code == 200
    versions = store(server).history(record_id)
    assert [(v.content["decision"], v.reason) for v in versions] == [("none", None), ("watch", "聞き違い")]
    assert versions[1].content["total_score_then"] == versions[0].content["total_score_then"]


ASSESSMENT = {
    "assessed_on": "2026-04-01", "asked": "担任に電話で聞いた", "known": "朝食を食べていない",
    "strengths": "祖母が近くにいる", "own_tier": "latent", "own_tier_reason": "支える人がいる",
}  # fmt: skip
PLAN = {
    "planned_on": "2026-04-02", "goal": "朝ごはんを食べて学校に行く", "step_1_action": "朝に電話する",
    "step_1_actor": "担任", "step_1_until": "2026-05-31", "review_on": "2026-07-01", "staff_notes": "職員だけが読む",
}  # fmt: skip


def test_assessment_stands_on_the_sheet_and_beside_the_child_in_the_meeting(server: Server) -> None:
    person = server.person("child_ryotsu")
    # Not the first of the area, so that the other tests keep theirs.
    child = [c.name for c in CHILDREN if c.area == "ryotsu" and not c.is_protected][2]
    typed = {"about_child_id": child, "record_id": str(uuid.uuid4()), **ASSESSMENT}
    answer = post(person, "/entry/assessment/save", **typed)
    assert answer.status_code == 302
    sheet = person.get(answer.headers["Location"])
    assert child not in answer.headers["Location"]
    assert ASSESSMENT["strengths"] in sheet.text
    # The scratch children have no priority: one with a decision is on an agenda.
    decision = {"meeting_on": "2026-04-10", "decision": "watch", "agrees_with_tier": "yes", "review_on": "2026-04-16"}
    post(person, "/entry/meeting/decide", person_id=child, record_id=str(uuid.uuid4()), **decision)
    assert post(person, "/entry/meeting/agenda?on=2026-04-17", person_id=child, base="0").status_code == 302
    turn = person.get("/entry/meeting/turn?on=2026-04-17").text
    assert ASSESSMENT["strengths"] in turn
    assert "潜在的リスク" in turn
    # Of a scope that has no meeting, neither page nor sheet has it.
    assert post(server.person("education_sawata"), "/entry/assessment/new", person_id=child).status_code == 403
    assert post(person, "/entry/assessment/new", person_id=child_of("mano")).status_code == 404


def test_copy_of_a_plan_says_for_whom_and_for_what_and_has_no_note_for_staff(server: Server) -> None:
    person, child, record_id = server.person("child_ryotsu"), child_of("ryotsu"), str(uuid.uuid4())
    plan = {"about_child_id": child, "record_id": record_id, **PLAN}
    assert post(person, "/entry/support_plan/save", **plan).status_code == 302
    copy, purpose = f"/entry/support_plan/{record_id}/copy", "家庭訪問で渡す"
    for wrong in ({"purpose": purpose}, {"person_id": child}, {"person_id": child_of("mano"), "purpose": purpose}):
        assert post(person, copy, **wrong).status_code == 422, wrong
    assert not [row for row in store(server).accesses("child_ryotsu") if row["action"] == "support_plan_copy"]
    answer = post(person, copy, person_id=child, purpose=purpose)
    assert answer.headers["Cache-Control"] == "no-store"
    text = printed_text(answer)
    for words in (
        "サポートプラン",
        PLAN["goal"],
        "2026年5月31日",
        purpose,
        "child_ryotsu",
        f"本人(child_label:{child}{MARKUP})".replace(" ", ""),
    ):
        assert words in text, words
    assert PLAN["staff_notes"] not in text
    last = store(server).accesses("child_ryotsu")[-1]
    assert (last["action"], last["purpose"]) == ("support_plan_copy", purpose)
    assert last["detail"] == {"person_id": child, "reader_id": child}
    for username, status in (("guidance_all", 404), ("child_mano", 404), ("education_sawata", 403)):
        assert post(server.person(username), copy, person_id=child, purpose=purpose).status_code == status


def printed_text(answer: requests.Response) -> str:
    """The text of a PDF, where forms that look the same are one, without spaces."""
    assert answer.content.startswith(b"%PDF"), answer.status_code
    pages = PdfReader(io.BytesIO(answer.content)).pages
    return "".join(unicodedata.normalize("NFKC", "".join(page.extract_text() for page in pages)).split())


def test_plan_of_a_protected_child_is_copied_by_the_authorised_only(server: Server) -> None:
    child, record_id = child_of("kanai", is_protected=True), str(uuid.uuid4())
    other, purpose = server.person("child_all_nodv"), "渡す"
    plan = {"about_child_id": child, "record_id": record_id, **PLAN}
    assert post(other, "/entry/support_plan/save", **plan).status_code == 302
    copy = f"/entry/support_plan/{record_id}/copy"
    refused = post(other, copy, person_id=child, purpose=purpose)
    assert (refused.status_code, "支援措置を扱う職員だけ" in refused.text) == (422, True)
    assert post(server.person("child_all"), copy, person_id=child, purpose=purpose).content.startswith(b"%PDF")


def test_marked_line_is_for_the_steward_of_its_holder(server: Server) -> None:
    person = server.person("child_all")
    ids = {}
    for child in (child_of("sawata"), child_of("sawata", is_protected=True)):
        fact = {
            "fact_person_id": child, "source_id": "infant_checkups", "observation_code": "checkup_missed",
            "observed_on": "2026-01-05", "delivery_id": "20260401-health", "line_number": 7,
        }  # fmt: skip
        content = content_of(fact, f"{SECRET}のはず", f"健診の未受診 {SECRET}")
        version = store(server).create(
            "disputed_line", content, by="child_sawata", department="child", person_id=child
        )  # fmt: skip
        ids[child] = version.record_id
    open_, hidden = ids
    steward = server.person("steward_health")
    page = steward.get("/entry/disputed_line/").text
    assert not leaks(page, steward.seen)
    assert page.count("乳幼児健診の未受診") == 2
    assert page.count("20260401-health 7行目") == 2
    # Neither the child nor its line in words; and of a protected family, no word of the author.
    assert page.count(f"{SECRET}のはず") == 1
    assert "健診の未受診 " + SECRET not in page
    assert page.count("child_sawata") == 1
    assert "健診の未受診" in server.person("steward_child").get("/entry/disputed_line/").text
    for username in ("steward_welfare", "steward_education"):
        assert "健診の未受診" not in server.person(username).get("/entry/disputed_line/").text
    # The fact is not in what is in service: it counts as mended, and no steward waits for it.
    assert "直りました" in page
    assert "回答を待つ指摘　0件" in steward.get("/kodomo/").text
    answer = {"record_id": ids[open_], "answer": "right", "answer_reason": "確かめた"}
    assert post(steward, "/entry/disputed_line/answer", **{**answer, "answer_reason": ""}).status_code == 422
    assert post(steward, "/entry/disputed_line/answer", **{**answer, "record_id": str(uuid.uuid4())}).status_code == 404
    assert post(person, "/entry/disputed_line/answer", **answer).status_code == 302
    assert store(server).newest(answer_id(ids[open_])).content["answer"] == "right"
    # A second first answer changes nothing.
    assert post(steward, "/entry/disputed_line/answer", **{**answer, "answer": "mend"}).status_code == 302
    assert store(server).newest(answer_id(ids[open_])).content["answer"] == "right"
    assert hidden in {v.person_id for v in store(server).current("disputed_line")}


def test_minutes_are_for_their_author_and_the_authorised(server: Server) -> None:
    writer, other = server.person("child_all"), server.person("child_all_nodv")
    agenda = "/entry/meeting/agenda?on=2026-04-13"
    child = child_of("mano")
    assert post(writer, agenda, person_id=child, minutes=SECRET, base="0").status_code == 302
    assert SECRET in writer.get(agenda).text
    assert SECRET not in other.get(agenda).text
    # Another area's worker adds a child: what is beyond reach, and what may not be read, stays.
    own = child_of("ryotsu")
    assert post(server.person("child_ryotsu"), agenda, person_id=own, minutes="x", base="1").status_code == 302
    kept = store(server).newest(record_id_of("child", dt.date(2026, 4, 13))).content
    assert (kept["minutes"], kept["agenda"]) == (SECRET, "|".join(sorted([child, own])))
    assert post(server.person("child_ryotsu"), agenda, person_id=child, base="2").status_code == 404


def test_a_request_of_a_protected_family_is_for_the_authorised(server: Server) -> None:
    writer, other = server.person("child_all"), server.person("child_all_nodv")
    record_id = str(uuid.uuid4())
    child = child_of("kanai", is_protected=True)
    answer = post(
        writer, "/entry/person_request/save", about_child_id=child, person_id=child, record_id=record_id,
        requested_on="2026-04-02", request="disclosure", about=SECRET,
    )  # fmt: skip
    assert answer.status_code == 302
    assert SECRET in writer.get("/entry/person_request/").text
    listed = other.get("/entry/person_request/").text
    assert SECRET not in listed
    assert record_id not in listed
    assert other.get(f"/entry/person_request/{record_id}").status_code == 404
    assert post(other, f"/entry/person_request/{record_id}/delete", base="1", reason="x").status_code == 404


def test_the_document_on_a_protected_family_is_for_the_authorised(server: Server) -> None:
    # A disclosure has the person's address in it.
    document = "/entry/person_request/document.pdf"
    hidden, open_ = child_of("kanai", is_protected=True), child_of("kanai")
    kept = len(store(server).accesses("child_all_nodv"))
    for person_id in (hidden, f"from_person_id:{hidden}"):
        answer = post(server.person("child_all_nodv"), document, about_child_id=hidden, person_id=person_id)
        assert answer.status_code == 302
        assert "支援措置を扱う職員だけ" in server.person("child_all_nodv").get("/entry/person_request/").text
    assert len(store(server).accesses("child_all_nodv")) == kept
    # The scratch warehouse has no records: a permitted account gets the message that nothing can be read.
    for username, child in (("child_all", hidden), ("child_all_nodv", open_)):
        assert post(server.person(username), document, about_child_id=child, person_id=child).status_code == 400


def test_observation_heard_by_another_account_of_a_protected_child_is_hidden(server: Server) -> None:
    child = child_of("mano", is_protected=True)
    kept_as = store(server).record_determination(
        purpose=SECRET, scope="person", person_id=child, as_of_on=dt.date(2026, 4, 1), publication="p", heard=[],
        result=[], determined_by="child_all",
    )  # fmt: skip
    answer = server.person("child_all_nodv").get(f"/entry/assess/{kept_as}")
    assert answer.status_code == 404
    assert SECRET not in answer.text


def test_published_effect_is_shown(server: Server) -> None:
    page = server.person("guidance_all").get("/entry/meeting/effect").text
    assert "people_label:" in page
    assert "value_label:" in page


def test_a_steward_of_one_area_reviews_no_links() -> None:
    scope = dataclasses.replace(STAFF["steward_child"].scope, areas=("mano",))
    assert "link_review" not in {page.name for page in ACCESS.entry_pages_of(scope)}


def test_a_record_is_kept_changed_and_deleted_with_its_history(server: Server) -> None:
    person = server.person("child_ryotsu")
    child = child_of("ryotsu")
    record_id = str(uuid.uuid4())
    answer = new_case(person, child, record_id=record_id)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/entry/paper_case/")
    # The same form once more: still one record.
    assert new_case(person, child, record_id=record_id).status_code == 302
    assert len(store(server).history(record_id)) == 1
    page = person.get(f"/entry/paper_case/{record_id}")
    assert page.status_code == 200
    assert child not in page.url
    answer = post(person, f"/entry/paper_case/{record_id}", base="1", **{**FORM, "case_class": "要支援児童"})
    assert answer.status_code == 302
    # Another account, whose page still shows the first version.
    other = server.person("child_all")
    answer = post(other, f"/entry/paper_case/{record_id}", base="1", **{**FORM, "case_class": "特定妊婦"})
    assert answer.status_code == 409
    assert "ほかの職員がこの記録を変更しました" in answer.text
    assert "要支援児童" in answer.text
    assert store(server).newest(record_id).content["case_class"] == "要支援児童"
    assert post(person, f"/entry/paper_case/{record_id}/delete", base="2").status_code == 422
    assert post(person, f"/entry/paper_case/{record_id}/delete", base="2", reason="誤入力").status_code == 302
    assert person.get(f"/entry/paper_case/{record_id}").status_code == 404
    assert [v.entered_by for v in store(server).history(record_id)] == ["child_ryotsu"] * 3


def test_record_of_another_area_is_hidden(server: Server) -> None:
    record_id = str(uuid.uuid4())
    assert new_case(server.person("child_all"), child_of("mano"), record_id=record_id).status_code == 302
    person = server.person("child_ryotsu")
    assert person.get(f"/entry/paper_case/{record_id}").status_code == 404
    assert post(person, f"/entry/paper_case/{record_id}", base="1", **FORM).status_code == 404
    assert post(person, f"/entry/paper_case/{record_id}/delete", base="1", reason="x").status_code == 404
    # Nor under another form's address.
    assert server.person("child_all").get(f"/entry/support_measure/{record_id}").status_code == 404
    assert record_id not in person.get("/entry/paper_case/").text


def test_mistakes_are_reported_in_japanese_and_nothing_is_kept(server: Server) -> None:
    person = server.person("child_ryotsu")
    before = len(store(server).current())
    answer = new_case(person, child_of("ryotsu"), registered_on="2999-01-01", case_class="なし")
    assert answer.status_code == 422
    assert "今日より後の日付です" in answer.text
    assert "一覧から選んでください" in answer.text
    assert len(store(server).current()) == before


def test_typed_markup_is_shown_as_text(server: Server) -> None:
    person = server.person("child_ryotsu")
    answer = post(person, "/entry/paper_case/search", name="<script>alert(1)</script>\"'")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert" in answer.text


def test_decision_returns_to_the_same_page_of_the_list(server: Server) -> None:
    person = server.person("child_ryotsu")
    page = post(person, "/entry/meeting/child?on=2026-04-10&state=all&page=3&area=%22%3E", person_id=child_of("ryotsu"))
    assert 'name="meeting_on" value="2026-04-10"' in page.text
    assert 'href="/entry/meeting/?state=all&amp;on=2026-04-10&amp;page=3"' in page.text


def test_the_meeting_s_decision_is_a_new_row_and_comes_back_on_its_day(server: Server) -> None:
    person = server.person("child_ryotsu")
    child = child_of("ryotsu")
    assert "必須" in post(person, "/entry/meeting/child", person_id=child).text
    typed = {"meeting_on": "2026-04-10", "decision": "watch", "agrees_with_tier": "yes", "review_on": "2026-07-01"}
    answer = post(person, "/entry/meeting/decide", person_id=child, record_id=str(uuid.uuid4()), **typed)
    assert answer.status_code == 200
    assert "保存しました" in answer.text
    decision = store(server).current("decision", person_id=child)[-1]
    assert decision.content["priority_then"] == f"priority_class:{child}"
    before = person.get("/entry/meeting/?on=2026-06-30&state=review").text
    after = person.get("/entry/meeting/?on=2026-07-01&state=review").text
    assert child not in re.findall(r'name="person_id" value="(P\d+)"', before)
    assert child in re.findall(r'name="person_id" value="(P\d+)"', after)
    assert not leaks(after, person.seen)


@pytest.mark.parametrize("username", ["child_ryotsu", "child_all"])
def test_printed_list_names_the_people_of_the_page_only(server: Server, username: str) -> None:
    person, marks = server.person(username), re.compile(r"P\d{3}")
    pages = [person.get(f"/entry/meeting/?state=all&on=2026-04-01&page={number}").text for number in range(1, 5)]
    listed = [
        mark for page in pages for mark in marks.findall("".join(re.findall(r'class="name"><a [^>]+>([^<]+)<', page)))
    ]
    answer = person.get("/entry/meeting/list.pdf?state=all&on=2026-04-01")
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF")
    assert answer.headers["Cache-Control"] == "no-store"
    pages = PdfReader(io.BytesIO(answer.content)).pages
    # Forms that look the same (⽉ for 月) are one; where a line breaks is not looked at.
    text = "".join(unicodedata.normalize("NFKC", "".join(page.extract_text() for page in pages)).split())
    for words in ("会議資料", "2026年4月1日", "支援が必要", "見守り", "点数だけで支援が始まることはありません"):
        assert words in text
    assert set(marks.findall(text)) == set(listed)
    assert listed
    assert not leaks(text, person.seen)
    access = store(server).accesses(username)[-1]
    assert (access["action"], sorted(access["detail"]["shown"])) == ("meeting_print", sorted(set(listed)))


def test_nonsense_is_refused_plainly(server: Server) -> None:
    person = server.person("child_all")
    for path in (
        "/entry/paper_case/00000000-0000-0000-0000-000000000000", "/entry/paper_case/P001", "/entry/assess/xyz",
        "/entry/nothing/", "/entry/meeting/?on=x&due_by=y&area=' or 1=1&tier=;&state=zz",
        "/entry/assess/00000000-0000-0000-0000-000000000000",
    ):  # fmt: skip
        answer = person.get(path)
        assert answer.status_code in {200, 404}, path
        assert not tells_of_the_machine(answer.text, server.home.root)
    assert new_case(person, child_of("ryotsu"), record_id="no uuid").status_code == 400
    assert post(person, "/entry/assess/search", name="x" * 5000).status_code == 400


def test_pages_name_no_outside_host_and_hold_no_script_but_that_of_the_keys(server: Server) -> None:
    person = server.person("child_all")
    keys = (TEMPLATES / "keys.js").read_text(encoding="utf-8").strip()
    for page in MAY["child_all"]:
        text = person.get(url_of(page)).text
        if page in {"link_review", "code_decision"}:
            text = re.sub(rf'<script nonce="[\w-]{{20,}}">\s*{re.escape(keys)}\s*</script>', "", text)
        assert "<script" not in text, page
        assert not re.findall(r'(?:src|href|action)="https?://', text)
        assert not re.findall(r'\son\w+="', text)


def test_steward_sees_the_deliveries_of_the_own_department_only(server: Server) -> None:
    person = server.person("steward_health")
    answer = person.get("/entry/delivery_decision/")
    assert "H:health" in answer.text
    assert not leaks(answer.text, person.seen)
    refused = post(
        person, "/entry/delivery_decision/decide", delivery_id="delivery_id:H:welfare", decision="withdraw", reason="x",
        record_id=str(uuid.uuid4()),
    )  # fmt: skip
    assert refused.status_code == 404


def test_specifications_are_those_of_the_department(server: Server) -> None:
    person, address = server.person("steward_health"), "/entry/delivery_decision/specification"
    assert "infant_checkups_&lt;納品日 YYYYMMDD&gt;.csv" in person.get(f"{address}/infant_checkups").text
    assert person.get(f"{address}/infant_checkups/excel").content.startswith(b"PK")
    assert person.get(f"{address}/infant_checkups/odcs").text.startswith("apiVersion: v3.1.0")
    for form in ("", "/excel", "/odcs"):
        assert person.get(f"{address}/public_assistance{form}").status_code == 404
        assert server.person("steward_child").get(f"{address}/public_assistance{form}").status_code == 200
        assert server.person("health_all").get(f"{address}/infant_checkups{form}").status_code in {403, 404}


def test_personal_files_are_those_of_the_department(server: Server) -> None:
    own = server.person("steward_health").get("/kodomo/personal-files/").text
    assert "妊娠届" in own
    assert "生活保護" not in own
    assert "assessment.pdf" not in own
    assert server.person("steward_health").get("/kodomo/personal-files/assessment.pdf").status_code == 403
    every = server.person("steward_child").get("/kodomo/personal-files/").text
    assert {"妊娠届", "生活保護", "判定の結果", "assessment.pdf"} <= {
        name for name in ("妊娠届", "生活保護", "判定の結果", "assessment.pdf") if name in every
    }
