"""A meeting about the model in the browser's requests: draft, changes, mistakes, 試算, comparison; counts only."""

from __future__ import annotations

import datetime as dt
import html
import io
import re
import unicodedata
import uuid

import duckdb
import pytest
import requests
from pypdf import PdfReader

from kodomo import clock
from kodomo.access.access import read_access
from kodomo.access.staff import DEMO_STAFF, read_staff
from kodomo.entries.store import EntryStore
from kodomo.keys import read_key
from kodomo.publication import current
from kodomo.publication.places import everyone_withheld
from kodomo.publication.publication import EVERYTHING
from kodomo.publication.tables import pseudonym_of
from kodomo.workshop.case_sets import CaseSetStore
from kodomo.workshop.drafts import OPEN, SUBMITTED, DraftStore
from kodomo.workshop.figures import HIDDEN_JA
from kodomo.workshop.recall import recall_in_service
from kodomo.workshop.rows import rules_of
from kodomo.workshop.trial import who_moves
from tests.conftest import AS_OF
from tests.security.servers import Person, Server
from tests.unit.workshop.proposed import write

pytestmark = pytest.mark.slow
AT = "/kodomo/models/"
DECISIONS = "/kodomo/model-approval/"
CASES = "/kodomo/known-cases/"
STAFF = {member.username: member for member in read_staff(DEMO_STAFF, read_access())}
MOVES = "coefficient|household_moves|1"


@pytest.fixture(scope="module")
def analyst(server: Server) -> Person:
    """An analyst without authorisation for protected people."""
    return server.person("analyst_all")


def send(person: Person, path: str, **form: str) -> requests.Response:
    return person.send("POST", f"{AT}{path}", data={**form, "csrf_token": person.token})


def new_draft(person: Person, name: str) -> str:
    """The id of a new draft of v2."""
    draft_id = str(uuid.uuid4())
    answer = send(person, "new", record_id=draft_id, name=name, base="v2", comment="転居")
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].endswith(draft_id)
    return draft_id


@pytest.fixture(scope="module")
def draft(analyst: Person) -> str:
    return new_draft(analyst, "v3-meeting")


def field(page: str, name: str) -> str:
    """The value of a field of a page."""
    return html.unescape(re.search(rf'name="{re.escape(name)}"[^>]* value="([^"]*)"', page).group(1))


def mistakes_beside(page: str, name: str) -> list[str]:
    """What is said at a field."""
    found = re.search(rf'name="{re.escape(name)}"[^>]*>(<p class="mistake">(.*?)</p>)?', page, re.S)
    return [html.unescape(found.group(2))] if found.group(2) else []


def test_a_change_of_a_coefficient_is_tried_at_once(server: Server, analyst: Person, draft: str) -> None:
    before = analyst.get(f"{AT}{draft}?type=abuse")
    assert before.status_code == 200
    assert field(before.text, MOVES) == "0.5"
    answer = send(
        analyst, f"{draft}/coefficients", base="1", type="abuse", comment="会議で決めた", **{MOVES: "6"}
    )  # fmt: skip
    assert answer.status_code == 302, answer.text
    after = analyst.get(answer.headers["Location"]).text
    assert field(after, MOVES) == "6"
    assert "会議で決めた" in after
    assert "→ <strong>" in after
    assert "3年以内の転居" in after.partition("段階が変わる理由")[2].partition("</table>")[0]
    step = DraftStore(EntryStore(server.home)).steps(draft)[-1]
    assert (step.version, step.entered_by) == (2, "analyst_all")


def test_a_mistake_is_said_at_its_field_with_what_was_typed(server: Server, analyst: Person, draft: str) -> None:
    drafts = DraftStore(EntryStore(server.home))
    version = drafts.draft(draft).version
    answer = send(analyst, f"{draft}/coefficients", base=str(version), type="abuse", **{MOVES: "６"})
    assert answer.status_code == 422
    assert field(answer.text, MOVES) == "６"
    assert "整数部6桁・小数部3桁まで" in mistakes_beside(answer.text, MOVES)[0]
    assert not mistakes_beside(answer.text, "coefficient|household_moves|2")
    answer = send(analyst, f"{draft}/thresholds", base=str(version), type="abuse", **{"min_score|high": "x"})
    assert "しきい値が 'x' です" in mistakes_beside(answer.text, "min_score|high")[0].replace(" が", "が")
    item = {
        "item_code": "odd", "label_ja": "仮", "category": "生活", "observation_code": "epds_total", "scope": "mother",
        "aggregate": "latest", "lower_1": "9", "coefficient_1": "a", "age_from_months": "5", "lookback_months": "1.5",
    }  # fmt: skip
    answer = send(analyst, f"{draft}/item", base=str(version), type="abuse", **item)
    assert mistakes_beside(answer.text, "coefficient_1")
    assert "整数" in mistakes_beside(answer.text, "lookback_months")[0]
    assert not mistakes_beside(answer.text, "age_from_months")
    assert drafts.draft(draft).version == version


def test_items_combinations_groups_and_overrides_are_added(server: Server, analyst: Person) -> None:
    draft = new_draft(analyst, "v3-items")
    drafts = DraftStore(EntryStore(server.home))
    own = {"type": "abuse"}
    group = {"new_group": "moves2", "combine": "sum", "cap": "5"}
    item = {
        "item_code": "mother_moves", "label_ja": "母の転居", "category": "家庭", "observation_code": "household_move",
        "scope": "mother", "lookback_months": "24", "aggregate": "count", "group_code": "moves2", "reason_ja": "会議で",
        "lower_1": "1", "upper_1": "2", "band_label_1": "1", "coefficient_1": "1",
        "lower_2": "2", "band_label_2": "2以上", "coefficient_2": "2.5",
    }  # fmt: skip
    combination = {
        "item_code": "c_both", "label_ja": "母子の転居", "category": "家庭",
        "members": ["mother_moves", "household_moves"],
        "lower_1": "2", "band_label_1": "両方", "coefficient_1": "2",
    }  # fmt: skip
    override = {"override_band": "c_both|1", "at_least_tier": "latent"}
    sent = (("group", group), ("item", item), ("combination", combination), ("override", override))
    for version, (path, form) in enumerate(sent, start=1):
        answer = send(analyst, f"{draft}/{path}", base=str(version), **own, **form)
        assert answer.status_code == 302, answer.text
    added = drafts.draft(draft)
    assert added.version == 5
    assert {place.key[0] for place in added.rows if place.table == "risk_items"} == {"mother_moves", "c_both"}
    page = analyst.get(f"{AT}{draft}?type=abuse").text
    assert "母子の転居［両方］なら 潜在的リスク 以上" in page
    assert field(page, "coefficient|mother_moves|2") == "2.5"
    again = send(analyst, f"{draft}/item", base="5", **own, **item)
    assert again.status_code == 422
    assert "すでにあります" in mistakes_beside(again.text, "item_code")[0]


def test_rules_of_support_are_changed_for_the_draft_alone(server: Server, analyst: Person) -> None:
    draft = new_draft(analyst, "v3-rules")
    drafts = DraftStore(EntryStore(server.home))
    table = "support_priority_rules"
    known = rules_of(drafts.draft(draft).texts, table, "v3-rules")
    same = {f"{name}|{line}": text for line, row in enumerate(known, start=1) for name, text in row.items()}
    own = {"type": "abuse"}
    assert send(analyst, f"{draft}/{table}", base="1", **own, **same).status_code == 302
    assert drafts.draft(draft).version == 1
    for field_name, text in (
        ("due_days|1", "x"),
        ("due_days|1", "0"),
        ("priority_class|1", "Z"),
        ("is_known|10", "true"),
    ):
        answer = send(analyst, f"{draft}/{table}", base="1", **own, **{**same, field_name: text})
        assert answer.status_code == 422, field_name
        assert 'class="mistake"' in answer.text.partition('id="rules"')[2].partition("</section>")[0]
        assert field_name.startswith("due_days") == bool(mistakes_beside(answer.text, "due_days|1"))
    line = len(known) + 1
    added = {
        f"rule_no|{line}": "5.5",
        f"min_tier|{line}": "high",
        f"priority_class|{line}": "B",
        f"due_days|{line}": "20",
    }
    sent = {**same, **added, "due_days|1": "5", "out|2": "1"}
    assert send(analyst, f"{draft}/{table}", base="1", **own, **sent).status_code == 302
    rules = rules_of(drafts.draft(draft).texts, table, "v3-rules")
    assert [row["rule_no"] for row in rules] == [str(number) for number in range(1, len(known) + 1)]
    assert [row["due_days"] for row in rules[:6]] == ["5", "14", "14", "30", "20", "30"]
    assert rules_of(drafts.draft(draft).texts, table, "v2") == known
    page = analyst.get(f"{AT}{draft}?type=abuse").text
    assert "この案だけの規則" in page
    assert "規則 1" in analyst.get(f"{AT}compare?one=v2&other={draft}").text
    assert send(analyst, f"{draft}/{table}", base="2", **own, shared="1").status_code == 302
    assert "この案だけの規則" not in analyst.get(f"{AT}{draft}?type=abuse").text
    content = {"content_ja|1": "面談", "support_code|1": "talk", "difficulty_type|1": "abuse", "tier|1": "high"}
    assert send(analyst, f"{draft}/support_rules", base="3", **own, **content).status_code == 302
    (rule,) = drafts.draft(draft).own("support_rules")
    assert (rule["rule_no"], rule["content_ja"]) == ("1", "面談")


def test_an_edit_of_an_older_version_is_refused(server: Server, analyst: Person) -> None:
    draft = new_draft(analyst, "v3-late")
    for base, status in (("1", 302), ("1", 409), ("x", 409), ("", 409)):
        value = str(len(base) + status)
        answer = send(analyst, f"{draft}/coefficients", base=base, type="abuse", **{MOVES: value[:1]})
        assert answer.status_code == status
    assert DraftStore(EntryStore(server.home)).draft(draft).version == 2


def test_two_drafts_are_compared(analyst: Person, draft: str) -> None:
    other = new_draft(analyst, "v3-other")
    page = analyst.get(f"{AT}compare?one={draft}&other={other}")
    assert page.status_code == 200
    assert "3年以内の転居" in page.text
    assert analyst.get(f"{AT}compare?one={other}&other={other}").text.count("二つは同じです") == 1
    assert analyst.get(f"{AT}compare?one={draft}&other=nothing").status_code == 404
    assert "3年以内の転居" in analyst.get(f"{AT}compare?one=v2&other={draft}").text
    versions = analyst.get(f"{AT}compare?one=v1&other=v2")
    assert "国保の短期証等" in versions.text
    assert "3年以内の転居" not in versions.text


@pytest.fixture(scope="module")
def approver(server: Server) -> Person:
    """Who decides about drafts; without authorisation for protected people."""
    return server.person("approver_all")


def decide(account: Person, path: str, /, **form: str) -> requests.Response:
    return account.send("POST", f"{DECISIONS}{path}", data={**form, "csrf_token": account.token})


def waiting(server: Server, analyst: Person, name: str) -> str:
    """The id of a draft that the analyst has changed and submitted."""
    draft = new_draft(analyst, name)
    assert send(analyst, f"{draft}/coefficients", base="1", type="abuse", **{MOVES: "6"}).status_code == 302
    assert send(analyst, f"{draft}/submit", base="2", type="abuse").status_code == 422
    assert send(analyst, f"{draft}/submit", base="2", type="abuse", comment="転居を重く見る").status_code == 302
    return draft


def test_a_submitted_draft_is_approved_by_another_account_and_stays_as_it_is(
    server: Server, analyst: Person, approver: Person
) -> None:
    draft = waiting(server, analyst, "v3-force")
    drafts = DraftStore(EntryStore(server.home))
    before = drafts.in_force.changes()
    assert send(analyst, f"{draft}/coefficients", base="3", type="abuse", **{MOVES: "1"}).status_code == 422
    page = approver.get(f"{DECISIONS}{draft}").text
    assert "転居を重く見る" in page
    differences = page.partition('id="differences"')[2].partition("</section>")[0]
    assert "3年以内の転居" in differences
    assert "v2 に代わる" in page
    given = {"base": "3", "status": "trial", "from_on": AS_OF.isoformat(), "reason": "会議で確かめた"}
    for wrong, status in (
        ({"reason": " "}, 422), ({"from_on": "あした"}, 422), ({"base": "2"}, 409), ({"status": "draft"}, 400),
        ({"status": "active", "replaces": "v1"}, 422), ({"status": "active"}, 422),
    ):  # fmt: skip
        assert decide(approver, f"{draft}/approve", **{**given, **wrong}).status_code == status, wrong
    assert drafts.in_force.changes() == before
    # Whose name it is, and who decides, follows from the account.
    forged = {"person": "市長", "by": "child_all", "entered_by": "child_all"}
    assert decide(approver, f"{draft}/approve", **given, **forged).status_code == 302
    (change,) = drafts.in_force.changes()[len(before) :]
    assert (change.model_version, change.status, change.on_date, change.entered_by, change.reason) == (
        "v3-force", "trial", AS_OF, "approver_all", "会議で確かめた",
    )  # fmt: skip
    assert change.person == STAFF["approver_all"].display_name
    assert decide(approver, f"{draft}/approve", **{**given, "base": "4"}).status_code == 404
    kept = analyst.get(f"{AT}{draft}").text
    assert "承認済み" in kept
    assert drafts.draft(draft).content_hash in kept
    assert 'class="bare" disabled' in kept
    assert send(analyst, f"{draft}/coefficients", base="4", type="abuse", **{MOVES: "1"}).status_code == 422
    assert drafts.draft(draft).version == 4


def test_an_author_with_the_duty_decides_about_no_draft_of_its_own(server: Server, approver: Person) -> None:
    drafts = DraftStore(EntryStore(server.home))
    draft = drafts.create("v3-own", "v2", by="approver_all")
    drafts.submit(draft.draft_id, 1, by="approver_all", comment="自分で")
    page = approver.get(f"{DECISIONS}{draft.draft_id}").text
    assert "ほかの職員が承認します" in page
    assert "/approve" not in page
    given = {"base": "2", "status": "trial", "from_on": AS_OF.isoformat(), "reason": "自分で"}
    for path in ("approve", "return"):
        answer = decide(approver, f"{draft.draft_id}/{path}", **given)
        assert answer.status_code == 422
        assert "案を書いたり提出したりしていない人" in answer.text
    assert drafts.draft(draft.draft_id).state == SUBMITTED


def test_a_draft_that_is_sent_back_is_open_again_with_the_reason(
    server: Server, analyst: Person, approver: Person
) -> None:
    draft = waiting(server, analyst, "v3-back")
    assert decide(approver, f"{draft}/return", base="3", reason="").status_code == 422
    assert decide(approver, f"{draft}/return", base="3", reason="根拠を書いてください").status_code == 302
    assert "根拠を書いてください" in analyst.get(f"{AT}{draft}").text
    assert approver.get(f"{DECISIONS}{draft}").status_code == 404
    assert send(analyst, f"{draft}/coefficients", base="4", type="abuse", **{MOVES: "2"}).status_code == 302
    assert send(analyst, f"{draft}/submit", base="5", type="abuse", comment="文献を足した").status_code == 302
    assert send(analyst, f"{draft}/withdraw", base="6", type="abuse").status_code == 302
    assert DraftStore(EntryStore(server.home)).draft(draft).state == OPEN


def test_a_version_is_ended_and_recalled_without_the_names_of_protected_people(
    server: Server, approver: Person
) -> None:
    for wrong in ({"reason": ""}, {"last_on": ""}, {"version": "v1"}):
        form = {"version": "trial-1", "last_on": "2026-12-31", "reason": "試行の終わり", **wrong}
        assert decide(approver, "retire", **form).status_code == 422, wrong
    assert decide(approver, "retire", version="trial-1", last_on="2026-12-31", reason="試行の終わり").status_code == 302
    store = EntryStore(server.home)
    assert DraftStore(store).in_force.changes()[-1].model_version == "trial-1"
    assert decide(approver, "recall", version="v2", reason="").status_code == 422
    counted = decide(approver, "recall", version="v2", reason="係数の誤り")
    assert "合計の子ども" in counted.text
    answer = decide(approver, "recall", version="v2", reason="係数の誤り", document="1")
    text = pdf_text(answer)
    touched = recall_in_service(server.home, "v2").children
    withheld = everyone_withheld(server.home, set())
    names = {person_id: plain(things[0].display_name or "—") for person_id, things in touched.items()}
    assert set(names) & withheld
    shown = {name for person_id, name in names.items() if person_id not in withheld}
    assert len([name for name in shown if name in text]) > len(shown) * 0.9
    assert not [
        name for person_id, name in names.items() if person_id in withheld and name not in shown and name in text
    ]
    access = [row for row in store.accesses("approver_all") if row["action"] == "model_recall"][-1]
    assert access["detail"]["shown"] == sorted(touched)


def test_each_version_has_a_card_and_its_public_form(server: Server, analyst: Person, approver: Person) -> None:
    for person, at in ((analyst, AT), (approver, DECISIONS)):
        card = pdf_text(person.get(f"{at}card/v2.pdf"))
        assert "モデルカードv2" in card
        assert "転居の多さは" in card
        assert "台帳法" in card
        assert "前の版からの変更" in card
        public = pdf_text(person.get(f"{at}card/v2.pdf?form=public"))
        assert "公開用" in public
        assert "5人未満の人数と、それが分かってしまう割合は載せていません" in public
        assert person.get(f"{at}card/v9.pdf").status_code == 404
    assert not [name for name in names_of(server) if name in card + public]
    assert server.person("child_all_nodv").get(f"{AT}card/v2.pdf").status_code == 403


def pdf_text(answer: requests.Response) -> str:
    """The text of a PDF without spaces."""
    assert answer.headers["Content-Type"] == "application/pdf", answer.text
    return plain("".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages))


def body_of(answer: requests.Response) -> str:
    """A page without its styles, which are most of it."""
    return answer.text.partition("</style>")[2] or answer.text


def plain(text: str) -> str:
    """A text without spaces; some characters of a PDF are other code points of the same form."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def names_of(server: Server) -> set[str]:
    """Names, ids and numbers of everybody in the publication, without spaces."""
    with duckdb.connect(str(current(server.home) / EVERYTHING), read_only=True) as connection:
        people = connection.execute("select person_id, atena_no, display_name from marts.dim_person").fetchall()
    return {plain(text) for row in people for text in row if text and len(text) > 3}


def test_no_page_of_the_model_names_a_person_or_shows_a_small_count(
    server: Server, analyst: Person, draft: str
) -> None:
    with duckdb.connect(str(current(server.home) / EVERYTHING), read_only=True) as connection:
        people = connection.execute("select person_id, atena_no, display_name from marts.dim_person").fetchall()
    marks = {text for row in people for text in row if text and len(text) > 3}
    for difficulty in ("abuse", "poverty"):
        page = analyst.get(f"{AT}{draft}?type={difficulty}").text
        assert not [mark for mark in marks if mark in page]
        trial = page.partition('id="trial"')[2].partition("</section>")[0]
        cells = re.findall(r'<td class="number">(.*?)</td>', trial.partition('class="two-tables"')[2], re.S)
        assert HIDDEN_JA in cells
        counts = [
            int(number.replace(",", "")) for cell in cells for number in re.findall(r"^[0-9,]+|(?<=>)[0-9,]+", cell)
        ]
        assert counts
        assert min(counts) >= 5
        met = re.findall(r"<td class=\"number count\">([^<]*)</td>", page.partition('id="items"')[2])
        assert len(met) > 100
        assert not [text for text in met if re.fullmatch("[0-4]", text.strip())]


def test_a_draft_is_opened_from_the_proposed_coefficients_beside_the_present_ones(
    server: Server, analyst: Person
) -> None:
    assert "まだ提案はありません" in analyst.get(AT).text
    write(server.home.proposals / "abuse", {("household_moves", "1"): "2", ("household_moves", "2"): "5"})
    assert "事案が少ないため参考" in analyst.get(AT).text
    given = {"record_id": str(uuid.uuid4()), "name": "v3-fitted", "base": "v2"}
    refused = send(analyst, "proposal", **given)
    assert refused.status_code == 422
    assert "提案を使う困難の種類を選んでください" in refused.text
    answer = send(analyst, "proposal", **given, types="abuse")
    assert answer.status_code == 302, answer.text
    draft = given["record_id"]
    page = analyst.get(f"{AT}{draft}?type=abuse").text
    assert field(page, MOVES) == "2"
    row = page.partition(f'name="{MOVES}"')[0].rpartition("<tr>")[2]
    assert re.findall(r'<td class="number">([^<]*)</td>', row)[-2:] == ["0.5", "2"]
    assert '<th class="number">提案</th>' not in analyst.get(f"{AT}{draft}?type=poverty").text
    assert send(analyst, f"{draft}/coefficients", base="1", type="abuse", **{MOVES: "3"}).status_code == 302
    edited = analyst.get(f"{AT}{draft}?type=abuse").text
    row = edited.partition(f'name="{MOVES}"')[0].rpartition("<tr>")[2]
    assert re.findall(r'<td class="number">([^<]*)</td>', row)[-2:] == ["0.5", "2"]
    assert field(edited, MOVES) == "3"


def test_known_cases_are_pseudonymous_for_an_analyst_and_named_for_whom_may_see_names(
    server: Server, analyst: Person
) -> None:
    page = analyst.get(f"{CASES}?type=abuse").text
    home = server.home
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        cases = dict(
            connection.execute(
                "select frozen.current_person_id, scored.is_flagged from intermediate.int_evaluation__scored_cohort as "
                "scored inner join intermediate.int_evaluation__frozen as frozen using (person_id) "
                "where scored.model_version = 'v2' and scored.difficulty_type = 'abuse' and scored.became_case"
            ).fetchall()
        )
    assert f"{len(cases)}人の事例のうち{sum(cases.values())}人が見つかる" in page
    key = read_key(home.pseudonym_key)
    with duckdb.connect(str(current(home) / EVERYTHING), read_only=True) as connection:
        names = dict(connection.execute("select person_id, display_name from marts.bi_child").fetchall())
    here = sorted(cases.keys() & names.keys())
    assert here
    assert all(pseudonym_of(person_id, key) in page for person_id in here)
    assert not [text for text in names_of(server) if text in plain(page)]
    named = server.person("child_all").get(f"{CASES}?type=abuse").text
    assert all(names[person_id] in named for person_id in here)
    seen = [row for row in EntryStore(home).accesses("analyst_all") if row["action"] == "known_cases"][-1]
    assert seen["detail"]["shown"] == here
    assert analyst.get(f"{CASES}?on=2020-01-01").status_code == 404
    assert analyst.get(f"{CASES}?set={uuid.uuid4()}").status_code == 404


def test_a_set_is_chosen_by_hand_within_what_the_account_sees(server: Server, analyst: Person) -> None:
    sets = CaseSetStore(EntryStore(server.home))
    page = analyst.get(f"{CASES}?type=abuse").text
    keys = re.findall(r'name="children" value="([^"]+)"', page)
    own = {"of": "v2", "type": "abuse", "set": "outcome", "base": "0", "csrf_token": analyst.token}

    def keep(person: Person = analyst, **form: object) -> requests.Response:
        return person.send("POST", f"{CASES}set", data={**own, "csrf_token": person.token, **form})

    unknown = keep(name="会議の事例", numbers="0123456789abcdef")
    assert unknown.status_code == 422
    assert "見つかりません" in unknown.text
    assert keep(name="", children=keys).status_code == 422
    assert keep(name="会議の事例").status_code == 422
    pseudonym = re.search(r'<td class="short">([0-9a-f]{16})</td>', page).group(1)
    answer = keep(name="会議の事例", reason="4月の会議", children=keys[1:], numbers=pseudonym)
    assert answer.status_code == 302, answer.text
    (kept,) = sets.current()
    assert (kept.name, kept.version, kept.entered_by, len(kept.person_ids)) == (
        "会議の事例",
        1,
        "analyst_all",
        len(keys),
    )
    shown = analyst.get(answer.headers["Location"]).text
    assert "会議の事例　第1版" in shown
    assert len(re.findall(r'name="children" value="[^"]+"[^>]* checked', shown)) == len(keys)
    # Another session's keys name nobody.
    assert keep(server.person("child_all"), name="x", children=keys).status_code == 422
    given = {"set": kept.set_id, "csrf_token": analyst.token}
    assert keep(**given, base="1", name="会議の事例", children=keys[:1]).status_code == 302
    assert keep(**given, base="1", name="会議の事例", children=keys[:1]).status_code == 409
    assert len(sets.case_set(kept.set_id).person_ids) == 1
    gone = analyst.send("POST", f"{CASES}give-up", data={**own, **given, "base": "2"})
    assert gone.status_code == 302
    assert sets.current() == []


@pytest.fixture(scope="module")
def moving(server: Server, analyst: Person) -> str:
    """The id of a draft by which children rise, waiting for a decision."""
    return waiting(server, analyst, "v3-moving")


def test_who_sees_all_children_by_name_sees_whose_tier_a_draft_changes(
    server: Server, approver: Person, moving: str
) -> None:
    page = approver.get(f"{DECISIONS}{moving}/names?type=abuse")
    assert page.status_code == 200, page.text
    draft = DraftStore(EntryStore(server.home)).draft(moving)
    movers = [mover for mover in who_moves(server.home, draft) if mover.difficulty_type == "abuse"]
    assert movers
    with duckdb.connect(str(current(server.home) / EVERYTHING), read_only=True) as connection:
        labels = dict(connection.execute("select person_id, child_label from marts.bi_child").fetchall())
    assert [html.unescape(name) for name in re.findall(r'<a href="/entry/child/[^"]*">([^<]*)</a>', page.text)] == [
        labels[mover.person_id] for mover in movers
    ][:100]
    assert "3年以内の転居 +" in page.text
    assert not [mover.person_id for mover in movers if mover.person_id in page.text]
    withheld = everyone_withheld(server.home)
    assert page.text.count('<td class="short">（非表示）</td>') == sum(m.person_id in withheld for m in movers)
    access = [row for row in EntryStore(server.home).accesses("approver_all") if row["action"] == "model_names"][-1]
    assert access["detail"]["shown"] == sorted({mover.person_id for mover in movers})[:100]


def test_an_account_without_names_gets_none_of_whose_tier_a_draft_changes(
    server: Server, analyst: Person, moving: str
) -> None:
    assert "/names" not in analyst.get(f"{AT}{moving}").text
    names = names_of(server)
    for at in (AT, DECISIONS):
        for address in (f"{at}{moving}/names?type=abuse&page=1", f"{at}{moving}/names/?as=child_all"):
            answer = analyst.get(address)
            assert answer.status_code in {403, 404}
            text = plain(body_of(answer))
            assert not [name for name in names if name in text]
    assert not [row for row in EntryStore(server.home).accesses("analyst_all") if row["action"] == "model_names"]


def test_an_approver_is_told_of_a_submitted_draft_until_it_is_opened(
    server: Server, analyst: Person, approver: Person
) -> None:
    def unread() -> int:
        return int(re.search(r"お知らせ　未読 (\d+)件", approver.get(DECISIONS).text).group(1))

    before = unread()
    draft = waiting(server, analyst, "v3-notice")
    assert unread() == before + 1
    page = approver.get("/kodomo/notices/").text
    assert "<b>v3-notice</b>" in page.partition('id="waiting"')[2]
    assert "承認を待つモデルの案" in approver.get("/kodomo/").text
    assert approver.get(f"{DECISIONS}{draft}").status_code == 200
    assert unread() == before


def test_an_approval_that_has_not_begun_is_cancelled_with_a_reason(
    server: Server, approver: Person, moving: str
) -> None:
    from_on = (clock.today() + dt.timedelta(days=30)).isoformat()
    given = {"base": "3", "status": "trial", "from_on": from_on, "reason": "会議で確かめた"}
    assert decide(approver, f"{moving}/approve", **given).status_code == 302
    assert 'value="v3-moving"' in approver.get(DECISIONS).text.partition('id="cancel"')[2].partition("</section>")[0]
    for form in ({"version": "v3-moving", "reason": " "}, {"version": "v2", "reason": "誤り"}):
        assert decide(approver, "cancel", **form).status_code == 422
    assert decide(approver, "cancel", version="v3-moving", reason="根拠の誤り").status_code == 302
    change = DraftStore(EntryStore(server.home)).in_force.changes()[-1]
    assert (change.action, change.model_version, change.entered_by, change.reason) == (
        "cancelled", "v3-moving", "approver_all", "根拠の誤り",
    )  # fmt: skip
    assert "承認の取消し" in approver.get(DECISIONS).text


def test_a_draft_is_judged_on_a_past_date_without_a_name(server: Server, analyst: Person, draft: str) -> None:
    page = analyst.get(f"{AT}{draft}/past?type=abuse&years=2")
    assert page.status_code == 200, page.text
    for text in (
        "再現率",
        "的中率",
        "較正",
        "項目の数だけの順",
        "地区の率だけの順",
        "<strong>2年前</strong>",
        "上位20人",
    ):
        assert text in page.text
    assert not [name for name in names_of(server) if name in plain(page.text)]
    assert analyst.get(f"{DECISIONS}{draft}/past").status_code == 403


def test_an_account_of_some_areas_has_no_model(server: Server, draft: str) -> None:
    for username in ("child_kanai", "health_all", "partner", "steward_child", "admin"):
        for path in ("", f"{draft}/names", f"{draft}/past"):
            assert server.person(username).get(f"{AT}{path}").status_code == 403
            assert server.person(username).get(f"{DECISIONS}{path}").status_code == 403
