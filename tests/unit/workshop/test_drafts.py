"""Drafts of the definition: valid versions of rows, each mistake at its field, nothing overwritten."""

from __future__ import annotations

import datetime as dt
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from kodomo.entries.store import ConflictError, EntryStore, UnknownRecordError
from kodomo.errors import UsageError
from kodomo.home import Home
from kodomo.messages import JAPANESE
from kodomo.scoring.definition import TABLES, check, read_definition, version_hash
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.scoring.versions import approve
from kodomo.seeds import SEEDS
from kodomo.workshop.drafts import Draft, DraftMistakesError, DraftStore, Place, compare, write_definition

AS_OF = dt.date(2026, 4, 1)
NAME = "v3-moves"
ITEM = {
    "item_code": "many_loans", "label_ja": "貸付の相談", "category": "生活", "kind": "observation",
    "observation_code": "social_council_loan", "scope": "parents", "lookback_months": "12", "aggregate": "count",
}  # fmt: skip
BAND = {"item_code": "many_loans", "band_no": "1", "lower": "1", "label_ja": "1以上"}


@pytest.fixture
def drafts(tmp_path: Path) -> DraftStore:
    return DraftStore(EntryStore(Home(tmp_path / "var")))


@pytest.fixture
def draft(drafts: DraftStore) -> Draft:
    return drafts.create(NAME, "v2", by="aoi", comment="転居を重く見る")


def row(table: str, **texts: str) -> tuple[Place, dict[str, str]]:
    return Place.of(table, texts), texts


def coefficient(item: str, band: str, value: str, difficulty: str = "abuse") -> tuple[Place, dict[str, str]]:
    return row(
        "risk_coefficients", model_version=NAME, difficulty_type=difficulty, item_code=item, band_no=band,
        coefficient=value,
    )  # fmt: skip


def test_a_draft_scores_like_its_base(draft: Draft) -> None:
    assert version_hash(draft.definition, NAME) == version_hash(draft.definition, "v2")
    assert not [placed for placed in draft.check() if placed.mistake.is_fatal]
    assert {texts["model_version"] for texts in draft.own("risk_coefficients")} == {NAME}
    (version,) = draft.own("risk_model_versions")
    assert version["status"] == "draft"


def test_each_edit_is_a_version_with_who_and_why_and_earlier_ones_stay(drafts: DraftStore, draft: Draft) -> None:
    drafts.edit(draft.draft_id, 1, dict([coefficient("household_moves", "1", "3.5")]), by="ibu", comment="会議で")
    drafts.edit(draft.draft_id, 2, {coefficient("household_moves", "1", "")[0]: None}, by="aoi")
    assert [(step.version, step.action, step.entered_by) for step in drafts.steps(draft.draft_id)] == [
        (1, "created", "aoi"), (2, "edited", "ibu"), (3, "edited", "aoi"),
    ]  # fmt: skip

    def of(version: int) -> Decimal | None:
        rows = drafts.draft(draft.draft_id, version).definition["risk_coefficients"]
        mine = ("abuse", "household_moves", 1)
        names = ("difficulty_type", "item_code", "band_no")
        return next(
            (
                found["coefficient"]
                for found in rows
                if found["model_version"] == NAME and tuple(found[name] for name in names) == mine
            ),
            None,
        )

    assert (of(2), of(3)) == (Decimal("3.500"), None)
    assert of(1) not in (None, Decimal("3.500"))
    assert drafts.draft(draft.draft_id).version == 3


def test_an_edit_of_an_old_version_is_rejected(drafts: DraftStore, draft: Draft) -> None:
    drafts.edit(draft.draft_id, 1, dict([coefficient("household_moves", "1", "3")]), by="aoi")
    with pytest.raises(ConflictError):
        drafts.edit(draft.draft_id, 1, dict([coefficient("household_moves", "1", "4")]), by="ibu")
    assert drafts.draft(draft.draft_id).version == 2


def test_a_form_sent_twice_is_one_draft(drafts: DraftStore, draft: Draft) -> None:
    with pytest.raises(ConflictError):
        drafts.create("v4", "v2", by="aoi", draft_id=draft.draft_id)
    assert [one.model_version for one in drafts.current()] == [NAME]


@pytest.mark.parametrize("name", ["v2", NAME, "V3", "v", "v 3", "", "-v3", "第3版", "v" * 41])
def test_a_name_that_is_taken_or_none_makes_no_draft(drafts: DraftStore, draft: Draft, name: str) -> None:
    with pytest.raises(UsageError):
        drafts.create(name, "v2", by="aoi")
    assert [one.draft_id for one in drafts.current()] == [draft.draft_id]


def test_an_unknown_base_or_draft_is_refused(drafts: DraftStore) -> None:
    with pytest.raises(UsageError, match="There is no version v9"):
        drafts.create("v3", "v9", by="aoi")
    with pytest.raises(UnknownRecordError):
        drafts.draft("nothing")


@pytest.mark.parametrize(
    ("changed", "column", "english", "japanese"),
    [
        (coefficient("household_moves", "1", "３"), "coefficient", "coefficient is '３'", "整数部6桁・小数部3桁まで"),
        (coefficient("household_moves", "1", "1.2345"), "coefficient", "after it", "小数部3桁まで"),
        (coefficient("household_moves", "7", "1"), "band_no", "household_moves has no band 7", "区分7がありません"),
        (coefficient("household_moves", "1", "1", "gambling"), "difficulty_type", "gambling", "gambling はありません"),
        (row("risk_items", **{**ITEM, "observation_code": "epds_totl"}), "observation_code", "did you mean epds", ""),
        (row("risk_items", **{**ITEM, "scope": "friends"}), "scope", "scope is 'friends'", "scope が 'friends'"),
        (row("risk_items", **{**ITEM, "category": "趣味"}), "category", "category is '趣味'", "category が '趣味'"),
        (row("risk_items", **{**ITEM, "group_code": "nobody"}), "group_code", "nobody is not in", "nobody は"),
        (row("risk_bands", item_code="household_moves", band_no="9", lower="1"), "lower", "overlaps", "重なって"),
        (row("risk_groups", group_code="g", combine="mean"), "combine", "combine is 'mean'", "combine が 'mean'"),
        (
            row(
                "risk_overrides", model_version=NAME, difficulty_type="abuse", item_code="household_moves",
                band_no="1", at_least_tier="extreme",
            ),
            "at_least_tier", "the tier extreme does not exist", "段階 extreme はありません",
        ),
        (
            row(
                "risk_tiers", model_version=NAME, difficulty_type="abuse", tier="latent", tier_rank="3",
                label_ja="潜在的リスク", min_score="5",
            ),
            "tier_rank", "rank 3 is there twice", "順位 3 が2回",
        ),
        (
            row("risk_item_members", item_code="household_moves", member_item_code="loan"),
            "item_code", "no item of kind combination", "組合せの項目ではありません",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_said_at_its_field_and_nothing_is_written(
    drafts: DraftStore, draft: Draft, changed: tuple[Place, dict[str, str]], column: str, english: str, japanese: str
) -> None:
    with pytest.raises(DraftMistakesError) as refused:
        drafts.edit(draft.draft_id, 1, dict([changed]), by="aoi")
    said = {(placed.place, placed.column): placed.mistake for placed in refused.value.mistakes}
    mistake = said[changed[0], column]
    assert english in mistake.message
    assert japanese in mistake.words(JAPANESE)
    assert drafts.draft(draft.draft_id).version == 1


def test_an_item_of_an_approved_version_stays_as_it_was_approved(drafts: DraftStore, draft: Draft) -> None:
    place = Place("risk_bands", ("household_moves", "1"))
    with pytest.raises(DraftMistakesError, match="v2 has changed since"):
        drafts.edit(draft.draft_id, 1, {place: {**draft.texts[place], "lower": "0.5"}}, by="aoi")


def test_a_new_item_with_its_band_is_added_and_what_is_odd_is_said(drafts: DraftStore, draft: Draft) -> None:
    odd = drafts.edit(draft.draft_id, 1, dict([row("risk_items", **ITEM)]), by="aoi")
    assert [(placed.place.key, placed.column, placed.mistake.is_fatal) for placed in odd] == [
        (("many_loans",), "item_code", False)
    ]
    changes = dict([row("risk_bands", **BAND), coefficient("many_loans", "1", "2")])
    assert drafts.edit(draft.draft_id, 2, changes, by="aoi") == []
    assert version_hash(drafts.draft(draft.draft_id).definition, "v2") == version_hash(draft.definition, "v2")


def test_a_later_change_of_the_leading_definition_does_not_change_a_draft(tmp_path: Path) -> None:
    folder = tmp_path / "definition"
    folder.mkdir()
    for table in TABLES:
        shutil.copy(SEEDS / f"{table}.csv", folder)
    drafts = DraftStore(EntryStore(Home(tmp_path / "var")), folder)
    draft = drafts.create(NAME, "v2", by="aoi")
    path = folder / "risk_items.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("3年以内の転居", "転居"), encoding="utf-8")
    assert drafts.draft(draft.draft_id).texts == draft.texts


def test_two_drafts_are_compared_whatever_their_names(drafts: DraftStore, draft: Draft) -> None:
    other = drafts.create("v4", "v2", by="ibu")
    assert compare(draft, other) == []
    drafts.edit(draft.draft_id, 1, dict([coefficient("household_moves", "1", "3.5")]), by="aoi")
    (difference,) = compare(drafts.draft(draft.draft_id), other)
    assert (difference.table, difference.key) == ("risk_coefficients", ("abuse", "household_moves", "1"))
    assert difference.before["coefficient"] == "3.5"
    assert difference.after["coefficient"] != "3.5"


def test_a_draft_is_written_as_the_files_of_a_definition(drafts: DraftStore, draft: Draft, tmp_path: Path) -> None:
    drafts.edit(draft.draft_id, 1, dict([coefficient("household_moves", "1", "3.5")]), by="aoi")
    edited = drafts.named(NAME)
    folder = tmp_path / "out"
    write_definition(edited, folder)
    read = read_definition(folder)
    assert version_hash(read, NAME) == version_hash(edited.definition, NAME)
    assert version_hash(read, "v2") == version_hash(read_definition(SEEDS), "v2")
    assert not [mistake for mistake in check(read, observation_obstacles(AS_OF)) if mistake.is_fatal]
    digest = approve(folder, NAME, "佐渡 花子", "会議で確かめた", AS_OF, as_trial=True)
    assert digest == version_hash(edited.definition, NAME)
    with pytest.raises(UsageError, match="is not empty"):
        write_definition(edited, folder)
    with pytest.raises(UsageError, match="the drafts are: v3-moves"):
        drafts.named("v9")


def test_a_row_under_the_key_of_another_is_refused(drafts: DraftStore, draft: Draft) -> None:
    with pytest.raises(ValueError, match="key of another"):
        drafts.edit(draft.draft_id, 1, {Place("risk_groups", ("a",)): {"group_code": "b"}}, by="aoi")
