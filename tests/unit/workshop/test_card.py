"""The card of a version: what it is made of, with reasons and legal bases, and no small number in its public form."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from kodomo.entries.store import EntryStore, UnknownRecordError
from kodomo.home import Home
from kodomo.workshop.card import Card, card_of, publishable
from kodomo.workshop.drafts import DraftStore, Place
from kodomo.workshop.in_force import Approval

ON = dt.date(2026, 12, 1)


@pytest.fixture(scope="module")
def drafts(tmp_path_factory: pytest.TempPathFactory) -> DraftStore:
    return DraftStore(EntryStore(Home(tmp_path_factory.mktemp("card") / "var")))


def card(drafts: DraftStore, version: str, *, is_public: bool = False) -> Card:
    return card_of(drafts.home, drafts, version, ON, is_public=is_public)


def test_a_card_has_each_item_with_its_points_its_reason_and_its_legal_basis(drafts: DraftStore) -> None:
    made = card(drafts, "v2")
    moves = next(item for item in made.items if item.label == "3年以内の転居")
    assert moves.points[0] == ("1", {"abuse": Decimal("0.5"), "poverty": Decimal("0.5")})
    assert moves.reason == "転居の多さは支援の途切れと孤立に結びつく"
    assert moves.bases == (
        "世帯・続柄の履歴（市民課）：住民基本台帳法第7条・第8条；個人情報の保護に関する法律第69条第2項第2号",
    )
    assert all("：—" not in basis for item in made.items for basis in item.bases)
    assert {kind.code for kind in made.types} == {"abuse", "poverty"}
    assert made.types[0].tiers[0] == ("ハイリスク", Decimal("10"))
    assert (made.performance, made.judged_from) == ((), None)


def test_a_card_says_the_ages_of_a_type(drafts: DraftStore) -> None:
    ages = {kind.code: kind.ages for kind in card(drafts, "trial-1").types}
    assert ages == {"truancy": ((72, None),), "young_carer": ((72, None),), "postpartum_depression": ((None, 12),)}


def test_the_card_of_a_version_of_the_seeds_says_what_changed_from_the_one_before(drafts: DraftStore) -> None:
    made = card(drafts, "v2")
    assert made.changed_from == "v1"
    assert {difference.table for difference in made.differences} == {"risk_coefficients"}
    assert all(difference.after is None for difference in made.differences)
    assert card(drafts, "v1").changed_from == ""


def test_the_card_of_an_approved_version_has_its_draft_and_its_base(drafts: DraftStore) -> None:
    draft = drafts.create("v3", "v2", by="aoi")
    place = Place("risk_coefficients", ("v3", "abuse", "household_moves", "1"))
    drafts.edit(draft.draft_id, 1, {place: {**draft.texts[place], "coefficient": "3"}}, by="aoi")
    drafts.submit(draft.draft_id, 2, by="aoi", comment="転居を重く見る")
    drafts.approve(draft.draft_id, 3, Approval("佐渡 海", "確かめた", "umi", ON, is_trial=True))
    made = card(drafts, "v3")
    assert (made.changed_from, made.version["approved_by"], made.version["note_ja"]) == (
        "v2",
        "佐渡 海",
        "転居を重く見る",
    )
    assert [step.action for step in made.steps] == ["created", "edited", "submitted", "approved"]
    (difference,) = made.differences
    assert (difference.before["coefficient"], difference.after["coefficient"]) == ("0.5", "3")


def test_there_is_no_card_of_an_unknown_version(drafts: DraftStore) -> None:
    with pytest.raises(UnknownRecordError):
        card(drafts, "v9")


def row(kind: str = "all", people: int = 200, cases: int = 20, flagged: int = 40, both: int = 10, **more: Any) -> dict:
    counts = {"people": people, "cases": cases, "flagged": flagged, "flagged_cases": both, "base": people}
    return {"difficulty_type": "abuse", "group_kind": kind, "measure_value": 0.5, **counts, **more}


@pytest.mark.parametrize(
    "small",
    [
        {"cases": 4, "both": 0}, {"both": 4}, {"cases": 14}, {"flagged": 14}, {"people": 52},
        {"people": 23, "flagged": 20, "cases": 10}, {"base": 3}, {"people": 4, "cases": 0, "flagged": 0, "both": 0},
    ],
)  # fmt: skip
def test_a_rate_from_which_a_small_count_follows_is_not_published(small: dict[str, Any]) -> None:
    assert publishable([row(**small)]) == []
    assert publishable([row(kind="sex"), row(kind="sex", **small)]) == []
    others = [row(kind="sex"), row(kind="all")]
    assert publishable([*others, row(kind="area", **small)]) == others


@pytest.mark.parametrize("counts", [{}, {"cases": 5, "both": 5}, {"cases": 0, "both": 0}, {"both": 0}])
def test_a_rate_of_counts_of_five_or_none_is_published(counts: dict[str, int]) -> None:
    assert publishable([row(**counts)]) == [row(**counts)]


def test_capacities_between_which_a_small_count_lies_are_not_published() -> None:
    apart = [row(kind="capacity", flagged=20, both=5), row(kind="capacity", flagged=50, both=10)]
    assert publishable(apart) == apart
    assert publishable([*apart, row(kind="capacity", flagged=100, both=12)]) == []
