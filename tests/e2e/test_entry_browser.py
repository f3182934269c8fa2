"""The pages of entry in a browser over a synthetic city: with permission and without."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from kodomo.access.access import EntryPage, read_access
from kodomo.access.staff import DEMO_STAFF, read_staff
from kodomo.contract import load_contracts
from kodomo.determination.service import in_service
from kodomo.entries.store import EntryStore
from kodomo.ingest.entries import take_entries
from kodomo.ingest.reject_files import export_rejects
from kodomo.programs import require_program
from kodomo.workshop.drafts import DraftStore
from tests.security.servers import Server

pytestmark = pytest.mark.slow
LEVEL_AA = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
OWN_PAGES = ("/entry/", "/kodomo/")
KEYS = re.compile(r"/[\w-]{30,}|(?<=/specification)/\w+")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=require_program("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=ja"],
        )
        yield opened
        opened.close()


class Staff:
    """A logged-in user at a browser; the browser's requests to other hosts, and the values that were in addresses."""

    def __init__(self, browser: Browser, server: Server, username: str) -> None:
        self.server, self.addresses, self.outside = server, [], []
        context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="ja-JP")
        self.page: Page = context.new_page()
        self.page.set_default_timeout(30_000)
        context.on("requestfinished", self._note)
        # The log-in page has tests of its own; here its session is what is needed.
        for cookie in server.log_in(username).http.cookies:
            context.add_cookies([{"name": cookie.name, "value": cookie.value, "url": server.address}])

    def _note(self, request: Any) -> None:
        self.addresses.append(request.url)
        # A PDF is shown by a page of the browser's own.
        own = ("data:", "blob:", "chrome:", "chrome-extension:")
        if not request.url.startswith((self.server.address, *own)):
            self.outside.append(request.url)

    def open(self, name: str) -> Page:
        """A page of entry."""
        self.page.goto(f"{self.server.address}/entry/{name}/")
        return self.page

    def choose(self, name: str, verb: str, child: str) -> Page:
        """Search a child by its number, and choose it."""
        page = self.open(name)
        page.fill("#number", child)
        page.click("button:has-text('検索')")
        page.click(f"button:has-text('{verb}')")
        return page


@pytest.fixture(scope="module")
def child(server: Server) -> str:
    """A child at school, by the school's records too, of no protected household."""
    with in_service(server.home) as (connection, _):
        return connection.execute(
            "select children.person_id from warehouse.marts.bi_child as children "
            "semi join (from warehouse.intermediate.int_person__identities where source_id = 'school_enrolment') "
            "using (person_id) where not is_dv_protected and contains(departments, '|education|') "
            "order by priority_rank limit 1"
        ).fetchall()[0][0]


@pytest.fixture(scope="module")
def caseworker(browser: Browser, server: Server) -> Staff:
    return Staff(browser, server, "child_all")


@pytest.fixture(scope="module")
def teacher(browser: Browser, server: Server) -> Staff:
    return Staff(browser, server, "education_all")


def newest(server: Server, form: str) -> dict[str, str]:
    return dict(EntryStore(server.home).current(form)[-1].content)


def test_determination_from_search_to_confirmed_fact(server: Server, caseworker: Staff, child: str) -> None:
    page = caseworker.choose("assess", "選ぶ", child)
    page.click("button:has-text('判定する')")
    assert page.locator(".message.error").inner_text() == "目的を入れてください。"
    page.fill("#purpose", "近隣からの相談（受理会議）")
    page.select_option("select[name=code_0]", "abuse_consultation")
    page.fill("input[name=date_0]", "2026-03-30")
    page.click("button:has-text('判定する')")
    text = page.inner_text("main")
    for words in (
        "点数と段階",
        "虐待",
        "点数の内訳",
        "連鎖",
        "支援内容（案）",
        "データのない項目",
        "今回聞いたこと",
        "検討期限",
    ):
        assert words in text
    assert "新たに該当" in text
    page.click("text=この個別検討の記録")
    page.click("text=確認したので記録に加える")
    assert "確認済みの事実として記録しました" in page.inner_text("main")
    assert newest(server, "heard")["observation_code"] == "abuse_consultation"
    kept = EntryStore(server.home).determinations(by="child_all")[0]
    assert (kept["purpose"], kept["person_id"]) == ("近隣からの相談（受理会議）", child)
    page = caseworker.choose("assess", "選ぶ", child)
    page.fill("#purpose", "半年前の状態の確認")
    page.select_option("#scope", "family")
    page.fill("#as_of", "2025-10-01")
    page.click("button:has-text('判定する')")
    assert "2025年10月1日" in page.inner_text("main")
    kept = EntryStore(server.home).determinations(by="child_all")[0]
    assert (kept["scope"], kept["as_of_on"].isoformat()) == ("family", "2025-10-01")
    assert child in {determined["person_id"] for determined in kept["result"]}


def test_school_records(server: Server, teacher: Staff, child: str) -> None:
    page = teacher.choose("school_absence", "入力する", child)
    page.fill("#attendance_month", "2026-02")
    page.fill("#school_days", "18")
    page.fill("#absent_days", "20")
    page.click("button:has-text('保存') >> nth=0")
    assert "「授業日数」より大きい数です。" in page.inner_text("main")
    page.fill("#absent_days", "9")
    page.click("button:has-text('保存') >> nth=0")
    assert "保存しました" in page.inner_text("main")
    assert newest(server, "school_absence")["school_person_no"]
    page = teacher.choose("school_consultation", "入力する", child)
    page.fill("#occurred_on", "2026-03-02")
    page.select_option("#incident_type", "いじめ")
    page.fill("#summary", "学級でのからかい。")
    page.click("button:has-text('保存') >> nth=0")
    assert "いじめ" in page.inner_text("main")


def test_old_paper_case_and_support_measure_heard_by_telephone(server: Server, caseworker: Staff, child: str) -> None:
    page = caseworker.choose("paper_case", "入力する", child)
    labels = page.locator("#person_id option").all_inner_texts()
    assert any(label.startswith("母") for label in labels)
    page.select_option("#person_id", label=next(label for label in labels if label.startswith("母")))
    page.fill("#registered_on", "1998-03-01")
    page.select_option("#case_class", "要保護児童")
    page.click("button:has-text('保存') >> nth=0")
    assert "保存しました" in page.inner_text("main")
    page = caseworker.choose("support_measure", "入力する", child)
    page.fill("#told_on", "2026-03-30")
    page.fill("#measure_from", "2026-03-30")
    page.fill("#told_by", "配偶者暴力相談支援センター")
    page.click("button:has-text('保存') >> nth=0")
    assert "保存しました" in page.inner_text("main")


def test_meeting_decision_and_support(server: Server, caseworker: Staff) -> None:
    page = caseworker.open("meeting")
    page.fill("#on", "2026-04-10")
    page.click("button:has-text('絞り込む')")
    page.click("button:has-text('決定を記録') >> nth=0")
    page.click("button:has-text('決定を保存')")
    assert "「決定」を選んでください。" in page.inner_text("main")
    # The day of the meeting is that of the list.
    assert page.input_value("#d_meeting_on") == "2026-04-10"
    page.fill("#d_meeting_on", "")
    page.click("button:has-text('決定を保存')")
    assert "「会議の日」を入れてください。" in page.inner_text("main")
    page.fill("#d_meeting_on", "2026-04-10")
    page.select_option("#d_decision", "support")
    page.select_option("#d_agrees_with_tier", "no")
    page.fill("#d_disagreement_reason", "転居は進学のため。")
    page.select_option("#d_disagreement_item", index=1)
    page.fill("#d_support_content", "家庭訪問（週1回）")
    page.select_option("#d_lead_agency", "子ども若者課")
    page.fill("#d_review_on", "2026-07-10")
    page.click("button:has-text('決定を保存')")
    assert "家庭訪問（週1回）" in page.inner_text("main")
    page.fill("#s_started_on", "2026-04-12")
    page.fill("#s_support_content", "家庭訪問")
    page.select_option("#s_lead_agency", "子ども若者課")
    page.click("button:has-text('支援を保存')")
    page.click("text=一覧へ戻る")
    assert page.input_value("#on") == "2026-04-10"
    assert newest(server, "support")["decision_id"]
    assert newest(server, "decision")["review_on"] == "2026-07-10"


def test_a_meeting_about_the_model(server: Server, browser: Browser) -> None:
    """From a draft to its approval by another account; ``test_batch`` has the run that scores such a version."""
    analyst, approver = (Staff(browser, server, name) for name in ("analyst_all", "approver_all"))
    page, models = analyst.page, f"{server.address}/kodomo/models/"

    def new_draft(name: str) -> str:
        page.goto(models)
        page.fill("#new_name", name)
        page.select_option("#new_base", "v2")
        page.click("form[action$='/new'] button")
        return page.url.rpartition("/")[2]

    other, draft = new_draft("v3-other-screen"), new_draft("v3-screen")
    moves = "[name='coefficient|household_moves|1']"
    page.fill(moves, "六")
    page.click("text=係数を保存して試算する")
    assert page.locator(f"td.wrong {moves}").input_value() == "六"
    page.fill(moves, "6")
    page.click("text=係数を保存して試算する")
    assert "3年以内の転居" in page.locator("#trial").inner_text()
    page.fill("[name='min_score|high']", "9.5")
    page.click("text=しきい値を保存")
    page.select_option("#override_band", "household_moves|1")
    page.select_option("#at_least_tier", "latent")
    page.click("text=強制引上げを保存")
    page.click("#rules summary >> nth=0")
    page.fill("[name='due_days|1']", "5")
    page.click("text=支援の優先度の規則を保存して試算する")
    assert "この案だけの規則" in page.locator("#rules").inner_text()
    page.click("text=項目を組み合わせる")
    form = page.locator("form[action$='/combination']")
    form.locator("#combination_item_code").fill("c_screen")
    form.locator("#combination_label_ja").fill("転居と欠席")
    form.locator("#members").select_option(["household_moves", "school_absence"])
    for name, text in (("lower_1", "2"), ("band_label_1", "両方"), ("coefficient_1", "2")):
        form.locator(f"[name={name}]").fill(text)
    form.locator("button[type=submit]").click()
    assert page.locator("[name='coefficient|c_screen|1']").input_value() == "2"
    page.goto(models)
    page.select_option("#one", other)
    page.select_option("#other", draft)
    page.click("text=比べる >> nth=-1")
    differences = page.locator("table").inner_text()
    assert all(word in differences for word in ("転居と欠席", "しきい値", "強制引上げ", "支援の優先度の規則"))
    page.goto(f"{models}{draft}")
    page.fill("#submit_comment", "転居を重く見る")
    page.click("#submission button")
    decision = f"{server.address}/kodomo/model-approval/{draft}"
    assert page.goto(decision).status == 403
    decided = approver.page
    decided.goto(decision)
    decided.check("[name=status][value=active]")
    decided.fill("#from_on", "2099-04-01")
    decided.fill("#reason", "会議で確かめた")
    decided.click("text=承認する >> nth=-1")
    (change, ended) = DraftStore(EntryStore(server.home)).in_force.changes()[-2:]
    assert (change.model_version, change.entered_by, ended.model_version) == ("v3-screen", "approver_all", "v2")
    decided.select_option("#recalled", "v2")
    decided.fill("#recall_reason", "係数の誤り")
    decided.click("text=人数を見る")
    assert "合計の子ども" in decided.locator("#recall").inner_text()
    # It has not begun: v2 goes on for the tests after this one.
    decided.fill("#cancel_reason", "試しただけ")
    decided.click("#cancel button")
    (kept,) = [
        row
        for row in DraftStore(EntryStore(server.home)).in_force.versions(dt.date(2099, 4, 1))
        if row["model_version"] == "v2"
    ]
    assert (kept["status"], kept["valid_to"]) == ("active", None)
    assert analyst.outside == approver.outside == []


def test_twenty_children_are_decided_in_under_sixty_clicks(server: Server, caseworker: Staff) -> None:
    page, clicks = caseworker.open("meeting"), 0

    def click(name: str) -> None:
        nonlocal clicks
        clicks += 1
        page.get_by_role("link", name=name).or_(page.get_by_role("button", name=name)).first.click()

    page.fill("#on", "2026-04-17")
    click("絞り込む")
    click("この日の次第を作る・開く")
    assert page.locator("input[name=person_id]:checked").count() == 20
    click("次第を保存")
    click("1人ずつ検討する")
    for number in range(20):
        assert "／20人" in page.inner_text("h1")
        if number % 2:
            click("見守り・3か月後に見直し")
        else:
            click("案を写す")
            assert page.input_value("#t_support_content")
            click("保存して次の子どもへ")
    assert "決定していない子ども 0人" in page.inner_text("main")
    decided = [v for v in EntryStore(server.home).current("decision") if v.content["meeting_on"] == "2026-04-17"]
    assert len({version.person_id for version in decided}) == len(decided) == 20
    assert {version.content["review_on"] for version in decided} == {"2026-07-17"}
    assert sum(version.content["decision"] == "watch" for version in decided) == 10
    assert clicks < 60


def test_agenda_takes_more_or_fewer_and_many_at_once(server: Server, caseworker: Staff) -> None:
    page = caseworker.page
    page.goto(f"{server.address}/entry/meeting/agenda?on=2026-04-24&number=20")
    for box in page.query_selector_all("input[name=person_id]:checked")[3:]:
        box.uncheck()
    page.fill("#m_participants", "子ども若者課、児童相談所")
    page.fill("#m_minutes", "3人を検討した。")
    page.click("button:has-text('次第を保存')")
    assert "次第にある子ども 3人" in page.inner_text("main")
    assert page.input_value("#m_minutes") == "3人を検討した。"
    page.click("button:has-text('印の子どもを見守りにする')")
    assert "理由を入れてください" in page.inner_text("main")
    page.fill("#reason", "学校の見守りが続いている")
    page.click("button:has-text('印の子どもを見守りにする')")
    assert "3人を見守りとして記録しました。" in page.inner_text("main")
    decided = [v for v in EntryStore(server.home).current("decision") if v.content["meeting_on"] == "2026-04-24"]
    assert [version.content["reason"] for version in decided] == ["学校の見守りが続いている"] * 3


def test_of_two_who_change_one_record_the_second_sees_what_the_first_wrote(
    server: Server, caseworker: Staff, child: str
) -> None:
    page = caseworker.choose("paper_case", "入力する", child)
    page.fill("#registered_on", "2012-05-01")
    page.select_option("#case_class", "要支援児童")
    page.click("button:has-text('保存') >> nth=0")
    page.click("text=開く・直す >> nth=0")
    other = page.context.new_page()
    other.goto(page.url)
    page.select_option("#case_class", "要保護児童")
    page.click("button:has-text('保存') >> nth=0")
    other.select_option("#case_class", "特定妊婦")
    other.click("button:has-text('保存') >> nth=0")
    assert "ほかの職員がこの記録を変更しました" in other.inner_text("main")
    assert "要保護児童" in other.locator("section:has(h2:has-text('いまの内容'))").inner_text()
    assert newest(server, "paper_case")["case_class"] == "要保護児童"
    other.click("button:has-text('保存') >> nth=0")
    assert newest(server, "paper_case")["case_class"] == "特定妊婦"
    other.close()


def test_a_link_is_reviewed_and_the_review_taken_back(server: Server, caseworker: Staff) -> None:
    page = caseworker.open("link_review")
    pair = page.locator("section[data-step]").first
    assert {"住民基本台帳", "比べた結果", "重み", "生年月日"} <= set(pair.locator("th").all_inner_texts())
    pair.locator("button").click()
    assert "「判断」を選んでください。" in page.inner_text("main")
    pair.locator("input[value=separate]").check()
    pair.locator("input[name=reason]").fill("別の世帯の同姓同名")
    pair.locator("button").click()
    assert "次の一括処理で反映されます" in page.inner_text("main")
    assert newest(server, "link_review")["decision"] == "separate"
    taken_back = page.locator("form:has(input[type=hidden][value=undo])").first
    taken_back.locator("input[name=reason]").fill("確かめ直す")
    taken_back.locator("button").click()
    assert newest(server, "link_review")["decision"] == "undo"


def test_links_are_reviewed_by_keyboard_and_several_at_once(server: Server, caseworker: Staff) -> None:
    page = caseworker.open("link_review")
    waiting = page.locator("section[data-step=open]")
    before = waiting.count()
    keys = page.keyboard
    keys.press("j")
    keys.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") == "pair-2"
    keys.press("k")
    keys.press("2")
    keys.type("別の世帯の同姓同名")
    with page.expect_navigation():
        keys.press("Enter")
    # The next pair has moved to the place of the answered one, and is ready for the next key.
    assert waiting.count() == before - 1
    assert page.evaluate("document.activeElement.id") == "pair-1"
    assert newest(server, "link_review")["decision"] == "separate"
    keys.press("x")
    keys.press("n")
    keys.press("x")
    several = page.locator("form#several")
    several.locator("input[value=link]").check()
    several.locator("button").click()
    assert "「理由」を入れてください。" in page.inner_text("main")
    assert page.locator("input[name=pair]:checked").count() == 2
    several.locator("input[value=link]").check()
    several.locator("input[name=reason]").fill("保有部署に電話で確認")
    several.locator("button").click()
    assert "次の一括処理で反映されます" in page.inner_text("main")
    made = [version.content for version in EntryStore(server.home).current("link_review")][-2:]
    assert [(content["decision"], content["reason"]) for content in made] == [("link", "保有部署に電話で確認")] * 2
    assert waiting.count() == before - 3
    assert barriers(page) == []


def open_delivery(page: Page, words: str) -> None:
    """The page of the first delivery whose row has these words."""
    page.locator(f"tr:has-text('{words}')").get_by_text("開く").first.click()


def test_a_delivery_is_withdrawn_after_a_look_and_the_decision_taken_back(server: Server, caseworker: Staff) -> None:
    page = caseworker.open("delivery_decision")
    open_delivery(page, "取込済")
    page.select_option("#decision", "withdraw")
    page.click("button:has-text('決める')")
    assert "「理由」を入れてください。" in page.inner_text("main")
    page.select_option("#decision", "withdraw")
    page.fill("#reason", "様式の誤りのため出し直し")
    page.click("button:has-text('決める')")
    assert "取り下げると変わること" in page.inner_text("main")
    assert barriers(page) == []
    assert EntryStore(server.home).current("delivery_decision") == []
    page.click("button:has-text('取り下げる')")
    assert "それまでは取り消せます" in page.inner_text("main")
    assert newest(server, "delivery_decision")["decision"] == "withdraw"
    page.click("button:has-text('この判断を取り消す')")
    assert "判断を取り消しました。" in page.inner_text("main")
    assert EntryStore(server.home).current("delivery_decision") == []
    open_decision = page.locator("#decision")
    assert open_decision.locator("option").all_inner_texts() == ["取り下げる", "原本を読み直す"]


def test_rejects_are_taken_and_sent_back(server: Server, browser: Browser, tmp_path: Path) -> None:
    with in_service(server.home) as (connection, _):
        source_id, delivery_id = connection.execute(
            "select source_id, delivery_id from warehouse.marts.fct_reject where state = 'open' order by all limit 1"
        ).fetchall()[0]
    holder = load_contracts()[source_id].holder
    steward = next(
        member.username
        for member in read_staff(DEMO_STAFF, read_access())
        if member.username.startswith("steward_") and holder in member.scope.departments
    )
    page = Staff(browser, server, steward).open("delivery_decision")
    page.click(f"a[href$='/of/{delivery_id}']")
    with page.expect_download() as download:
        page.click("button:has-text('直す行を受け取る')")
    path = tmp_path / download.value.suggested_filename
    assert path.name == f"{delivery_id}_mended.csv"
    download.value.save_as(path)
    # Those of protected families are left out.
    whole = export_rejects(server.home, delivery_id).splitlines()
    assert path.read_bytes().splitlines()[0] == whole[0]
    assert set(path.read_bytes().splitlines()) <= set(whole)
    assert barriers(page) == []
    page.set_input_files("input[name=files]", path)
    page.click("button:has-text('直した行を送って確かめる')")
    page.locator(f"tr:has-text('{path.name}') a").click(timeout=90_000)
    assert "見出し" in page.inner_text("main")
    assert delivery_id in page.inner_text("main")
    assert barriers(page) == []
    page.click("button:has-text('捨てる')")
    assert "ファイルを捨てました。" in page.inner_text("main")


def test_an_unknown_code_gets_its_meaning(server: Server, caseworker: Staff) -> None:
    page = caseworker.open("code_decision")
    row, save = page.locator("tr:has-text('9Z')"), page.locator("button:has-text('意味を選んだものを保存')")
    save.click()
    assert "「意味するコード」を入れてください。" in page.inner_text("main")
    row.focus()
    page.keyboard.press("1")
    save.click()
    assert "「理由」を入れてください。" in page.inner_text("main")
    assert row.locator("select[name=code]").input_value()
    page.fill("#reason", "保有部署に電話で確認")
    save.click()
    assert "次の一括処理で反映されます" in page.inner_text("main")
    assert newest(server, "code_decision")["spelling"] == "9Z"


def test_request_of_the_person_and_its_document(server: Server, caseworker: Staff, child: str) -> None:
    page = caseworker.choose("person_request", "入力する", child)
    page.fill("#requested_on", "2026-03-20")
    page.select_option("#request", "deletion")
    page.fill("#about", "保有している個人情報のすべて")
    page.select_option("#outcome", "accepted")
    page.click("button:has-text('保存') >> nth=0")
    assert "「対象のデータ」を選んでください。" in page.inner_text("main")
    page.select_option("#data_source", "resident_register")
    page.click("button:has-text('保存') >> nth=0")
    assert "法令により保有するため" in page.inner_text("main")
    page.select_option("#request", "disclosure")
    page.select_option("#data_source", "")
    page.click("button:has-text('保存') >> nth=0")
    assert newest(server, "person_request")["request"] == "disclosure"
    page.click("text=開く・直す >> nth=0")
    with page.context.expect_page() as opened:
        page.click("button:has-text('保有個人情報の文書（PDF）を作る')")
    opened.value.close()
    # The printing takes a while; that it was asked for is on record at once.
    access = EntryStore(server.home).accesses("child_all")[-1]
    assert (access["action"], access["detail"]["person_id"]) == ("disclosure_document", child)


def barriers(page: Page) -> list[tuple[str, str, str]]:
    """What axe objects to on an open page at levels A and AA: rule, first element, what it says."""
    found = Axe().run(page, options=LEVEL_AA).response
    assert found["passes"], page.url
    return [(rule["id"], rule["nodes"][0]["html"], rule["nodes"][0]["failureSummary"]) for rule in found["violations"]]


def kind_of(address: str) -> str:
    """The page that an address shows, of whichever child and record: its path without keys."""
    return KEYS.sub("/-", urlsplit(address).path).rstrip("/")


@pytest.mark.parametrize("username", ["child_all", "education_all", "steward_citizens"])
def test_own_pages_have_no_barrier_of_level_a_or_aa(browser: Browser, server: Server, username: str) -> None:
    staff = Staff(browser, server, username)
    member = next(one for one in read_staff(server.home.staff, read_access()) if one.username == username)
    pages = {page.name: f"{page.address}/" for page in read_access().entry_pages_of(member.scope)}
    waiting, seen, findings = [*pages.values(), "/kodomo/nowhere"], set(), {}
    while waiting:
        address = waiting.pop(0)
        kind = kind_of(address)
        if kind in seen:
            continue
        seen.add(kind)
        staff.page.goto(f"{server.address}{address}")
        findings[kind] = barriers(staff.page)
        for link in staff.page.locator("a[href]:not([download])").evaluate_all(
            "links => links.map(link => link.getAttribute('href'))"
        ):
            to = urlsplit(urljoin(address, link))
            if to.path.startswith(OWN_PAGES) and not to.path.endswith(("pdf", "csv")):
                waiting.append(f"{to.path}?{to.query}" if to.query else to.path)
    assert {kind: found for kind, found in findings.items() if found} == {}
    assert {kind_of(address) for address in pages.values()} <= seen
    staff.page.context.close()


def test_answers_to_forms_have_no_barrier_of_level_a_or_aa(caseworker: Staff, child: str) -> None:
    for name, verb in (("assess", "選ぶ"), ("paper_case", "入力する"), ("person_request", "入力する")):
        page = caseworker.choose(name, verb, child)
        assert barriers(page) == []
        page.click("main button:not(.plain) >> nth=-1")
        assert page.locator(".error, .wrong").count(), name
        assert barriers(page) == []
    page = caseworker.choose("assess", "選ぶ", child)
    page.fill("#purpose", "半年前の状態の確認")
    page.click("button:has-text('判定する')")
    assert "点数の内訳" in page.inner_text("main")
    assert barriers(page) == []
    page = caseworker.open("meeting")
    page.click("button:has-text('決定を記録') >> nth=0")
    page.click("button:has-text('決定を保存')")
    assert barriers(page) == []


@pytest.mark.parametrize("name", sorted(read_access().entry_pages))
def test_account_without_permission_gets_a_japanese_message(browser: Browser, server: Server, name: str) -> None:
    asked = read_access().entry_pages[name]
    page = _outsider(browser, server, asked).page
    page.goto(f"{server.address}{asked.address or f'/entry/{name}'}/")
    assert page.locator("[role=alert]").inner_text() == (
        "この画面を使う権限がありません。担当の登録を子ども若者課に確かめてください。"
    )


_OUTSIDERS: dict[str, Staff] = {}


def _outsider(browser: Browser, server: Server, asked: EntryPage) -> Staff:
    """Of three accounts the first that may not open the page."""
    staff = {member.username: member for member in read_staff(server.home.staff, read_access())}
    username = next(
        one for one in ("health_all", "steward_citizens", "admin") if not asked.includes(staff[one].scope)
    )  # fmt: skip
    if username not in _OUTSIDERS:
        _OUTSIDERS[username] = Staff(browser, server, username)
    return _OUTSIDERS[username]


def test_no_value_is_in_an_address_and_no_other_host_was_asked(
    server: Server, caseworker: Staff, teacher: Staff, child: str
) -> None:
    for staff in (caseworker, teacher):
        assert staff.outside == []
        assert len(staff.addresses) > 5
        assert not [address for address in staff.addresses if child in address or "%E5%AE" in address]


def test_the_next_run_takes_what_was_typed(server: Server) -> None:
    taken = {delivery.source_id: delivery for delivery in take_entries(server.home, "after")}
    assert {
        "school_attendance",
        "school_consultations",
        "council_cases",
        "told_support_measures",
        "heard_observations",
    } <= (set(taken))
    assert all(delivery.rows_rejected == 0 for delivery in taken.values())


def test_screens_are_japanese(server: Server, caseworker: Staff) -> None:
    import re

    accounts = {member.username for member in read_staff(server.home.staff, read_access())}
    for name in ("assess", "meeting", "paper_case", "support_measure", "person_request"):
        text = caseworker.open(name).inner_text("body")
        words = set(re.findall(r"[A-Za-z]{3,}(?:_[a-z]+)*", text)) - {"SSW", "PDF", "EPDS"} - accounts
        assert not words, (name, words)


@pytest.mark.parametrize("slug", ["overview", "meeting", "effect", "nowhere"])
def test_dashboards_are_japanese_and_ask_no_other_host(browser: Browser, server: Server, slug: str) -> None:
    import re

    staff = Staff(browser, server, "child_all_nodv")
    staff.page.goto(f"{server.address}/superset/dashboard/{slug}/")
    if slug == "nowhere":
        assert "見つかりません" in staff.page.inner_text("body")
    else:
        staff.page.locator(".chart-container canvas, .chart-container table").first.wait_for()
        words = set(re.findall(r"[A-Za-z]{3,}", staff.page.inner_text("body")))
        # What support is called in the field.
        assert not words - {"SSW", "EPDS"}
    assert staff.outside == []
    staff.page.context.close()


def test_dashboard_keeps_every_filter_and_offers_no_picture(browser: Browser, server: Server) -> None:
    staff = Staff(browser, server, "child_all_nodv")
    page = staff.page
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{server.address}/superset/dashboard/overview/")
    page.locator(".chart-container canvas").first.wait_for()
    filters = {"地区", "リスク段階", "困難の種類", "年齢層", "学校・保育所", "支援状況"}
    page.get_by_text("その他のフィルター").click()
    page.get_by_text("支援状況", exact=True).wait_for()
    assert filters <= set(page.inner_text("body").split("\n"))
    page.keyboard.press("Escape")
    page.locator("[data-test=actions-trigger], [aria-label='Menu actions trigger']").first.click()
    page.get_by_text("全画面で表示").wait_for()
    assert page.locator("[data-menu-id$='-download'] >> visible=true").count() == 0
    page.context.close()
