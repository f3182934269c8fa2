"""From draft to force: who submits, a second person who decides, dates, the hash, and export = import."""

from __future__ import annotations

import csv
import datetime as dt
import re
import shutil
import threading
from pathlib import Path

import pytest

from kodomo import clock
from kodomo.entries.notices import note_read
from kodomo.entries.store import ConflictError, EntryStore
from kodomo.errors import KodomoError, UsageError
from kodomo.home import Home
from kodomo.scoring.definition import TABLES, check, read_definition, version_hash
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.scoring.versions import definition_hash, retire
from kodomo.seeds import SEEDS
from kodomo.workshop.drafts import (
    APPROVED,
    OPEN,
    SUBMITTED,
    Draft,
    DraftMistakesError,
    DraftStore,
    Place,
    write_definition,
)
from kodomo.workshop.in_force import Approval, DefinitionStore
from kodomo.workshop.proposals import groups_that_cut_a_proposal
from kodomo.workshop.rows import read_texts, write_texts
from kodomo.workshop.waiting import waiting_for
from tests.unit.workshop.proposed import write

NAME = "v3"
FROM = dt.date(2026, 12, 15)
DAY = dt.timedelta(days=1)
MOVES = Place("risk_coefficients", (NAME, "abuse", "household_moves", "1"))


def stores(root: Path) -> tuple[DraftStore, DefinitionStore]:
    drafts = DraftStore(EntryStore(Home(root)))
    return drafts, drafts.in_force


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which one draft is submitted."""
    root = tmp_path_factory.mktemp("template") / "var"
    submit(stores(root)[0])
    return root


@pytest.fixture
def drafts(template: Path, tmp_path: Path) -> DraftStore:
    return stores(Path(shutil.copytree(template, tmp_path / "var")))[0]


@pytest.fixture
def draft(drafts: DraftStore) -> Draft:
    return drafts.named(NAME)


@pytest.fixture
def in_force(drafts: DraftStore) -> DefinitionStore:
    return drafts.in_force


def submit(drafts: DraftStore, name: str = NAME, value: str = "3.5") -> Draft:
    """A draft that weighs moves otherwise, written by two people and submitted by one of them."""
    draft = drafts.create(name, "v2", by="aoi")
    place = Place("risk_coefficients", (name, "abuse", "household_moves", "1"))
    drafts.edit(draft.draft_id, 1, {place: {**draft.texts[place], "coefficient": value}}, by="ibu")
    drafts.submit(draft.draft_id, 2, by="aoi", comment="転居を重く見る")
    return drafts.draft(draft.draft_id)


def approval(by: str = "umi", *, from_on: dt.date = FROM, trial: bool = False, replaces: tuple[str, ...] = ("v2",)):
    return Approval("佐渡 海", "会議で確かめた", by, from_on, trial, () if trial else replaces)


def statuses(in_force: DefinitionStore, date: dt.date) -> dict[str, str]:
    rows = read_definition(in_force.folder_on(date))["risk_model_versions"]
    return {row["model_version"]: row["status"] for row in rows}


def test_the_seeds_are_in_force_until_a_version_is_approved(in_force: DefinitionStore) -> None:
    assert in_force.changes() == []
    assert in_force.folder() == in_force.folder_on(FROM) == SEEDS


def test_an_approved_version_is_in_force_from_its_date_and_the_replaced_one_until_the_day_before(
    drafts: DraftStore, in_force: DefinitionStore, draft: Draft
) -> None:
    digest = drafts.approve(draft.draft_id, 3, approval())
    assert digest == draft.content_hash
    before = {"v1": "retired", "v2": "active", "trial-1": "trial", NAME: "draft"}
    assert statuses(in_force, FROM - DAY) == before
    assert statuses(in_force, dt.date(2025, 1, 1)) == before
    assert statuses(in_force, FROM) == {**before, "v2": "retired", NAME: "active"}
    row = in_force.texts()[Place("risk_model_versions", (NAME,))]
    assert row["content_hash"] == version_hash(read_definition(in_force.folder()), NAME) == digest
    assert (row["approved_by"], row["valid_from"], row["approval_reason_ja"], row["note_ja"]) == (
        "佐渡 海", "2026-12-15", "会議で確かめた", "転居を重く見る",
    )  # fmt: skip
    known = observation_obstacles(FROM)
    for folder in (in_force.folder(), in_force.folder_on(FROM), in_force.folder_on(FROM - DAY)):
        assert check(read_definition(folder), known) == []
    changes = [(one.action, one.model_version, one.on_date, one.entered_by) for one in in_force.changes()]
    assert changes == [("approved", NAME, FROM, "umi"), ("retired", "v2", FROM - DAY, "umi")]


def cancel(in_force: DefinitionStore, version: str, reason: str = "根拠の誤り") -> list[str]:
    return in_force.cancel(version, person="佐渡 海", reason=reason, by="umi")


def test_an_approval_that_has_not_begun_is_taken_back_and_the_replaced_version_goes_on(
    drafts: DraftStore, in_force: DefinitionStore, draft: Draft
) -> None:
    from_on = clock.today() + DAY
    digest = drafts.approve(draft.draft_id, 3, approval(from_on=from_on))
    assert statuses(in_force, from_on)["v2"] == "retired"
    with pytest.raises(UsageError, match="name of the person and a reason"):
        cancel(in_force, NAME, " ")
    assert cancel(in_force, NAME) == ["v2"]
    for date in (from_on - DAY, from_on, from_on + 400 * DAY):
        assert statuses(in_force, date) == {"v1": "retired", "v2": "active", "trial-1": "trial", NAME: "retired"}
    assert in_force.texts()[Place("risk_model_versions", (NAME,))]["content_hash"] == digest
    assert "valid_to" not in in_force.texts()[Place("risk_model_versions", ("v2",))]
    assert check(read_definition(in_force.folder()), observation_obstacles(FROM)) == []
    assert [(one.action, one.model_version, one.reason) for one in in_force.changes()[2:]] == [
        ("cancelled", NAME, "根拠の誤り"), ("resumed", "v2", "根拠の誤り"),
    ]  # fmt: skip
    (row,) = (row for row in in_force.versions(from_on) if row["model_version"] == NAME)
    assert (row["is_cancelled"], row["from_on"], row["status"]) == (True, None, "retired")
    with pytest.raises(UsageError, match="has begun, or is not approved"):
        cancel(in_force, NAME)
    # What is mended is another version, under another name.
    assert statuses_after_another(drafts, in_force, from_on)["v4"] == "active"


def statuses_after_another(drafts: DraftStore, in_force: DefinitionStore, from_on: dt.date) -> dict[str, str]:
    drafts.approve(submit(drafts, "v4").draft_id, 3, approval(from_on=from_on))
    return statuses(in_force, from_on)


def test_a_submitted_draft_is_a_notice_to_those_who_did_not_write_it(drafts: DraftStore, draft: Draft) -> None:
    store = drafts.store
    assert [waiting_for(store, author) for author in ("aoi", "ibu")] == [[], []]
    (first,) = waiting_for(store, "umi")
    assert (first.model_version, first.submitted_by, first.is_read) == (NAME, "aoi", False)
    note_read(store, "umi", [first.notice_id])
    assert [one.is_read for name in ("umi", "eri") for one in waiting_for(store, name)] == [True, False]
    drafts.edit(draft.draft_id, 3, {}, by="umi", comment="根拠は")
    assert [one.notice_id for one in waiting_for(store, "umi")] == [first.notice_id]
    drafts.send_back(draft.draft_id, 4, by="umi", reason="根拠を書く")
    assert waiting_for(store, "umi") == []
    drafts.submit(draft.draft_id, 5, by="ibu", comment="書いた")
    (again,) = waiting_for(store, "umi")
    assert (again.submitted_by, again.is_read) == ("ibu", False)
    drafts.approve(draft.draft_id, 6, approval())
    assert waiting_for(store, "umi") == []


@pytest.mark.parametrize("days", [0, -1])
def test_a_version_that_has_begun_is_ended_and_not_cancelled(
    drafts: DraftStore, in_force: DefinitionStore, draft: Draft, days: int
) -> None:
    drafts.approve(draft.draft_id, 3, approval(from_on=clock.today() + days * DAY))
    for version in (NAME, "v2", "v1"):
        with pytest.raises(UsageError, match="has begun, or is not approved"):
            cancel(in_force, version)
    assert len(in_force.changes()) == 2


def test_a_version_that_waits_for_its_own_replacement_is_cancelled_after_that_one(
    drafts: DraftStore, in_force: DefinitionStore, draft: Draft
) -> None:
    first, second = clock.today() + DAY, clock.today() + 9 * DAY
    drafts.approve(draft.draft_id, 3, approval(from_on=first))
    drafts.approve(submit(drafts, "v4").draft_id, 3, approval(from_on=second, replaces=(NAME,)))
    with pytest.raises(UsageError, match="cancel that one first"):
        cancel(in_force, NAME)
    assert cancel(in_force, "v4") == [NAME]
    assert cancel(in_force, NAME) == ["v2"]
    assert statuses(in_force, second)["v2"] == "active"


def test_a_trial_replaces_nothing(drafts: DraftStore, in_force: DefinitionStore, draft: Draft) -> None:
    drafts.approve(draft.draft_id, 3, approval(trial=True))
    assert statuses(in_force, FROM) == {"v1": "retired", "v2": "active", "trial-1": "trial", NAME: "trial"}


def test_an_approved_draft_never_changes(drafts: DraftStore, draft: Draft) -> None:
    drafts.approve(draft.draft_id, 3, approval())
    assert drafts.draft(draft.draft_id).state == APPROVED
    for change in (
        lambda: drafts.edit(draft.draft_id, 4, {MOVES: {**draft.texts[MOVES], "coefficient": "1"}}, by="aoi"),
        lambda: drafts.edit(draft.draft_id, 4, {}, by="aoi", comment="あとから"),
        lambda: drafts.submit(draft.draft_id, 4, by="aoi", comment="もう一度"),
        lambda: drafts.withdraw(draft.draft_id, 4, by="aoi"),
        lambda: drafts.send_back(draft.draft_id, 4, by="umi", reason="やはり"),
        lambda: drafts.approve(draft.draft_id, 4, approval()),
    ):
        with pytest.raises(UsageError):
            change()
    assert drafts.draft(draft.draft_id).version == 4


@pytest.mark.parametrize("author", ["aoi", "ibu"])
def test_no_author_decides_about_a_draft(
    drafts: DraftStore, in_force: DefinitionStore, author: str, draft: Draft
) -> None:
    with pytest.raises(UsageError, match="A second person decides"):
        drafts.approve(draft.draft_id, 3, approval(author))
    with pytest.raises(UsageError, match="A second person decides"):
        drafts.send_back(draft.draft_id, 3, by=author, reason="自分で")
    assert drafts.draft(draft.draft_id).state == SUBMITTED
    assert in_force.changes() == []


def test_one_who_submitted_an_earlier_version_decides_about_no_later_one(drafts: DraftStore, draft: Draft) -> None:
    drafts.withdraw(draft.draft_id, 3, by="ibu")
    drafts.submit(draft.draft_id, 4, by="ibu", comment="もう一度")
    with pytest.raises(UsageError, match="A second person decides"):
        drafts.approve(draft.draft_id, 5, approval("aoi"))


def test_a_draft_is_submitted_by_those_who_wrote_it_with_its_aim(drafts: DraftStore) -> None:
    draft = drafts.create("v5", "v2", by="aoi")
    drafts.edit(draft.draft_id, 1, {}, by="ibu", comment="賛成です")
    with pytest.raises(UsageError, match="by those who wrote it"):
        drafts.submit(draft.draft_id, 2, by="ibu", comment="代わりに")
    with pytest.raises(UsageError, match="Say what the draft is for"):
        drafts.submit(draft.draft_id, 2, by="aoi", comment=" ")
    with pytest.raises(ConflictError):
        drafts.submit(draft.draft_id, 1, by="aoi", comment="古い版")
    drafts.submit(draft.draft_id, 2, by="aoi", comment="試す")
    with pytest.raises(UsageError, match="is submitted"):
        drafts.submit(draft.draft_id, 3, by="aoi", comment="二度")


def test_a_draft_with_what_is_odd_is_not_submitted(drafts: DraftStore) -> None:
    draft = drafts.create("v5", "v2", by="aoi")
    item = {
        "item_code": "many_loans", "label_ja": "貸付の相談", "category": "生活", "kind": "observation",
        "observation_code": "social_council_loan", "scope": "parents", "lookback_months": "12", "aggregate": "count",
    }  # fmt: skip
    drafts.edit(draft.draft_id, 1, {Place.of("risk_items", item): item}, by="aoi")
    with pytest.raises(DraftMistakesError, match="many_loans has no band"):
        drafts.submit(draft.draft_id, 2, by="aoi", comment="区分を忘れた")


def test_a_submitted_draft_changes_only_after_it_was_withdrawn_or_sent_back(drafts: DraftStore, draft: Draft) -> None:
    change = {MOVES: {**draft.texts[MOVES], "coefficient": "1"}}
    with pytest.raises(UsageError, match="is submitted"):
        drafts.edit(draft.draft_id, 3, change, by="aoi")
    drafts.edit(draft.draft_id, 3, {}, by="umi", comment="根拠はどこですか")
    assert drafts.draft(draft.draft_id).state == SUBMITTED
    with pytest.raises(ConflictError):
        drafts.approve(draft.draft_id, 3, approval())
    with pytest.raises(UsageError, match="Say why"):
        drafts.send_back(draft.draft_id, 4, by="umi", reason=" ")
    drafts.send_back(draft.draft_id, 4, by="umi", reason="根拠を書いてください")
    returned = drafts.draft(draft.draft_id)
    assert (returned.state, returned.steps[-1].comment, returned.steps[-1].entered_by) == (
        OPEN, "根拠を書いてください", "umi",
    )  # fmt: skip
    drafts.edit(draft.draft_id, 5, change, by="aoi")
    with pytest.raises(UsageError, match="is not submitted"):
        drafts.approve(draft.draft_id, 6, approval())
    drafts.submit(draft.draft_id, 6, by="aoi", comment="文献を足した")
    drafts.approve(draft.draft_id, 7, approval())


def test_a_commentator_may_approve(drafts: DraftStore, draft: Draft) -> None:
    drafts.edit(draft.draft_id, 3, {}, by="umi", comment="よく分かりました")
    assert drafts.approve(draft.draft_id, 4, approval("umi"))


def test_of_decisions_at_the_same_moment_one_holds(drafts: DraftStore, in_force: DefinitionStore, draft: Draft) -> None:
    first, second = draft, submit(drafts, "v4", "2")
    outcomes: list[str] = []
    start = threading.Barrier(4)

    def decide(draft: Draft, by: str) -> None:
        start.wait()
        try:
            drafts.approve(draft.draft_id, 3, approval(by))
            outcomes.append("approved")
        except (ConflictError, UsageError) as error:
            outcomes.append(type(error).__name__)

    threads = [
        threading.Thread(target=decide, args=(draft, by)) for draft in (first, second) for by in ("umi", "emi")
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    approved = [draft for draft in drafts.current() if draft.state == APPROVED]
    actives = [version for version, status in statuses(in_force, FROM).items() if status == "active"]
    assert outcomes.count("approved") == len(approved) == 1
    assert actives == [approved[0].model_version]
    assert [change.number for change in in_force.changes()] == [1, 2]


@pytest.mark.parametrize("replaces", [(), ("v1",), ("trial-1",), ("v2", "v1")])
def test_an_active_version_is_replaced_knowingly_only(
    drafts: DraftStore, in_force: DefinitionStore, replaces: tuple[str, ...], draft: Draft
) -> None:
    with pytest.raises(UsageError, match="Active for the same types: v2"):
        drafts.approve(draft.draft_id, 3, approval(replaces=replaces))
    assert in_force.changes() == []
    assert drafts.draft(draft.draft_id).state == SUBMITTED


def test_a_type_is_not_left_without_an_active_version(drafts: DraftStore) -> None:
    draft = drafts.create("v5", "v2", by="aoi")
    poverty = {place: None for place, row in draft.rows.items() if row.get("difficulty_type") == "poverty"}
    drafts.edit(draft.draft_id, 1, poverty, by="aoi")
    drafts.submit(draft.draft_id, 2, by="aoi", comment="虐待だけ")
    with pytest.raises(UsageError, match="would score poverty any more"):
        drafts.approve(draft.draft_id, 3, approval())


@pytest.mark.parametrize(("person", "reason"), [("", "理由"), ("名前", "  ")])
def test_a_decision_needs_a_name_and_a_reason(drafts: DraftStore, person: str, reason: str, draft: Draft) -> None:
    with pytest.raises(UsageError, match="name of the person and a reason"):
        drafts.approve(draft.draft_id, 3, Approval(person, reason, "umi", FROM, True))


def test_a_version_begins_after_the_one_that_it_replaces(drafts: DraftStore, draft: Draft) -> None:
    with pytest.raises(KodomoError, match="valid_from is after valid_to"):
        drafts.approve(draft.draft_id, 3, approval(from_on=dt.date(2026, 4, 1)))


def test_a_version_whose_items_were_changed_by_another_approval_is_made_anew(drafts: DraftStore) -> None:
    group = {"group_code": "moves", "combine": "max"}
    place = Place("risk_items", ("moved_mother",))
    item = {
        "item_code": "moved_mother", "label_ja": "母の転居", "category": "家庭", "kind": "observation",
        "observation_code": "household_move", "scope": "mother", "lookback_months": "24", "aggregate": "count",
    }  # fmt: skip
    ids = []
    for name, months in (("v5", "24"), ("v6", "12")):
        draft = drafts.create(name, "v2", by="aoi")
        band = {"item_code": "moved_mother", "band_no": "1", "lower": "1", "label_ja": "1以上"}
        of_band = {"item_code": "moved_mother", "band_no": "1"}
        coefficient = {"model_version": name, "difficulty_type": "abuse", **of_band, "coefficient": "1"}
        rows = {
            place: {**item, "lookback_months": months},
            Place.of("risk_bands", band): band,
            Place.of("risk_coefficients", coefficient): coefficient,
            Place.of("risk_groups", group): group,
        }
        drafts.edit(draft.draft_id, 1, rows, by="aoi")
        drafts.submit(draft.draft_id, 2, by="aoi", comment="母の転居")
        ids.append(draft.draft_id)
    drafts.approve(ids[0], 3, approval(trial=True))
    with pytest.raises(KodomoError, match="v5 has changed since"):
        drafts.approve(ids[1], 3, approval(trial=True))


def test_a_retired_version_is_scored_until_its_last_day(
    drafts: DraftStore, in_force: DefinitionStore, draft: Draft
) -> None:
    drafts.approve(draft.draft_id, 3, approval())
    last_on = FROM + 10 * DAY
    with pytest.raises(UsageError, match="begins on 2026-12-15"):
        in_force.retire(NAME, FROM - DAY, person="佐渡 海", reason="誤り", by="umi")
    in_force.retire(NAME, last_on, person="佐渡 海", reason="係数の誤り", by="umi")
    assert [statuses(in_force, date)[NAME] for date in (FROM - DAY, FROM, last_on, last_on + DAY)] == [
        "draft", "active", "active", "retired",
    ]  # fmt: skip
    for version in (NAME, "v1", "v2"):
        with pytest.raises(UsageError, match="not in force, or its end is decided"):
            in_force.retire(version, last_on, person="佐渡 海", reason="二度", by="umi")


def test_what_is_exported_and_imported_is_in_force_elsewhere_as_here(
    drafts: DraftStore, tmp_path: Path, draft: Draft
) -> None:
    drafts.approve(draft.draft_id, 3, approval())
    drafts.in_force.retire("trial-1", FROM, person="佐渡 海", reason="終わり", by="umi")
    out = tmp_path / "out"
    write_texts(drafts.in_force.texts(), out)
    _, elsewhere = stores(tmp_path / "other")
    elsewhere.take_in(out, person="本間 空", reason="別の計算機へ", by="root")
    assert elsewhere.texts() == drafts.in_force.texts()
    assert definition_hash(elsewhere.folder()) == definition_hash(drafts.in_force.folder())
    for date in (FROM - DAY, FROM, FROM + DAY):
        assert statuses(elsewhere, date) == statuses(drafts.in_force, date)
    with pytest.raises(UsageError, match="holds nothing new"):
        elsewhere.take_in(out, person="本間 空", reason="もう一度", by="root")
    kinds = [(change.action, change.model_version, change.person) for change in elsewhere.changes()]
    assert kinds == [
        ("imported", None, "本間 空"), ("retired", "v2", "本間 空"), ("retired", "trial-1", "本間 空"),
        ("approved", NAME, "佐渡 海"),
    ]  # fmt: skip


@pytest.fixture
def folder(draft: Draft, tmp_path: Path) -> Path:
    """The files of a draft without an approval."""
    write_definition(draft, tmp_path / "given")
    return tmp_path / "given"


def with_status(folder: Path, version: str, **texts: str) -> None:
    path = folder / "risk_model_versions.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, **texts} if row["model_version"] == version else row for row in rows)


@pytest.mark.parametrize("status", ["active", "trial"])
def test_a_version_without_an_approval_is_imported_as_a_draft_only(
    in_force: DefinitionStore, folder: Path, status: str
) -> None:
    with_status(folder, NAME, status=status)
    with_status(folder, "v2", status="retired", valid_to="2026-12-14")
    with pytest.raises(UsageError, match="has no approval"):
        in_force.take_in(folder, person="本間 空", reason="試す", by="root")
    with_status(folder, NAME, status="draft")
    in_force.take_in(folder, person="本間 空", reason="試す", by="root")
    assert statuses(in_force, FROM) == {"v1": "retired", "v2": "retired", "trial-1": "trial", NAME: "draft"}
    in_force.approve(NAME, approval(replaces=()))
    assert statuses(in_force, FROM)[NAME] == "active"
    with pytest.raises(KodomoError, match="was approved by 佐渡 海"):
        in_force.approve(NAME, approval(replaces=()))


def test_rules_of_an_approved_version_are_held_by_its_hash_and_leave_earlier_dates_as_they_were(
    drafts: DraftStore, in_force: DefinitionStore
) -> None:
    draft = drafts.create("ruled", "v2", by="aoi")
    plain = draft.content_hash
    rule = {"model_version": "ruled", "rule_no": "1", "priority_class": "C", "due_days": "40"}
    place = Place.of("support_priority_rules", rule)
    for wrong, message in (({"priority_class": "E"}, "priority_class"), ({"due_days": ""}, "whole number"),
                           ({"min_tier": "high"}, "every child")):  # fmt: skip
        with pytest.raises(DraftMistakesError, match=message):
            drafts.edit(draft.draft_id, 1, {place: {**rule, **wrong}}, by="aoi")
    drafts.edit(draft.draft_id, 1, {place: rule}, by="aoi")
    drafts.submit(draft.draft_id, 2, by="aoi", comment="期限を延ばす")
    assert drafts.approve(draft.draft_id, 3, approval()) != plain
    shared = list(read_definition(SEEDS)["support_priority_rules"])
    for date, status in ((FROM - DAY, "draft"), (FROM, "active")):
        definition = read_definition(in_force.folder_on(date))
        rules = definition["support_priority_rules"]
        assert [row["priority_class"] for row in rules if row["model_version"] is None] == [
            row["priority_class"] for row in shared
        ]
        assert [row["due_days"] for row in rules if row["model_version"] == "ruled"] == [40]
        assert statuses(in_force, date)["ruled"] == status


def test_of_a_proposal_only_the_version_is_imported(in_force: DefinitionStore, folder: Path, tmp_path: Path) -> None:
    """A proposal's items are in no group; those in force stay in theirs."""
    proposal = tmp_path / "proposal"
    write(proposal, {("household_moves", "1"): "2", ("household_moves", "2"): "5"})
    name = "proposal-abuse-20250401"
    version = {"model_version": name, "status": "draft"}
    tables = {"risk_items": [], "risk_bands": [], "risk_model_versions": [version]}
    for place, row in read_texts(folder).items():
        if place.table in ("risk_items", "risk_bands") and place.key[0] == "household_moves":
            tables[place.table].append({**row, "group_code": ""} if place.table == "risk_items" else row)
    for table, rows in tables.items():
        with (proposal / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)))
            writer.writeheader()
            writer.writerows(rows)
    items = [row for place, row in in_force.texts().items() if place.table == "risk_items"]
    in_force.take_in(proposal, person="本間 空", reason="試す", by="root")
    texts = in_force.texts()
    assert [row for place, row in texts.items() if place.table == "risk_items"] == items
    assert {
        place.key[2:]: row["coefficient"]
        for place, row in texts.items()
        if place.table == "risk_coefficients" and place.key[0] == name
    } == {("household_moves", "1"): "2", ("household_moves", "2"): "5"}
    assert statuses(in_force, FROM)["v2"] == "active"
    assert groups_that_cut_a_proposal(proposal, texts) == {name: ["mobility"]}


def test_an_import_changes_no_version_that_is_scored_here(in_force: DefinitionStore, folder: Path) -> None:
    path = folder / "risk_coefficients.csv"
    text, old = path.read_text(encoding="utf-8"), "v2,abuse,household_moves,1,0.5"
    assert old in text
    path.write_text(text.replace(old, "v2,abuse,household_moves,1,9"), encoding="utf-8")
    with pytest.raises(KodomoError, match="v2 has changed since"):
        in_force.take_in(folder, person="本間 空", reason="試す", by="root")
    # An approval that was made up for the changed rows does not help.
    with_status(folder, "v2", content_hash=version_hash(read_definition(folder), "v2"))
    with pytest.raises(UsageError, match="v2 is scored here by other rows"):
        in_force.take_in(folder, person="本間 空", reason="試す", by="root")
    assert in_force.changes() == []


def test_an_unapproved_trial_of_the_seeds_is_not_changed_by_an_import(
    in_force: DefinitionStore, tmp_path: Path
) -> None:
    given = tmp_path / "given"
    given.mkdir()
    for table in TABLES:
        shutil.copy(SEEDS / f"{table}.csv", given)
    path = given / "risk_coefficients.csv"
    changed = re.sub(r"(?m)^(trial-1,\w+,\w+,\d+),[\d.]+$", r"\1,7", path.read_text(encoding="utf-8"), count=1)
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(UsageError, match="trial-1 is scored here by other rows"):
        in_force.take_in(given, person="本間 空", reason="試す", by="root")


def test_a_version_that_a_folder_has_retired_ends_here_too(in_force: DefinitionStore, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    for table in TABLES:
        shutil.copy(SEEDS / f"{table}.csv", given)
    retire(given, "trial-1", FROM)
    in_force.take_in(given, person="本間 空", reason="終わり", by="root")
    assert [statuses(in_force, date)["trial-1"] for date in (FROM, FROM + DAY)] == ["trial", "retired"]


def test_the_mistakes_of_a_folder_are_named_and_nothing_changes(in_force: DefinitionStore, folder: Path) -> None:
    (folder / "risk_tiers.csv").unlink()
    with pytest.raises(KodomoError, match=r"risk_tiers.csv:1"):
        in_force.take_in(folder, person="本間 空", reason="試す", by="root")
    assert in_force.folder() == SEEDS
