"""A proposal of coefficients as the beginning of a draft: what was fitted is in its rows, what is policy stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from kodomo.entries.store import EntryStore
from kodomo.errors import UsageError
from kodomo.home import Home
from kodomo.workshop.drafts import DraftStore
from kodomo.workshop.proposals import groups_that_cut, kept_proposals
from kodomo.workshop.rows import Texts
from tests.unit.workshop.proposed import write

POINTS = {("household_moves", "1"): "2", ("household_moves", "2"): "5", ("school_absence", "1"): "3"}


@pytest.fixture
def drafts(tmp_path: Path) -> DraftStore:
    home = Home(tmp_path / "var")
    write(home.proposals / "abuse", POINTS)
    return DraftStore(EntryStore(home))


def test_the_figures_of_a_kept_proposal_are_those_of_its_report(drafts: DraftStore) -> None:
    (proposal,) = kept_proposals(drafts.home)
    assert (proposal.difficulty_type, proposal.children, proposal.cases) == ("abuse", 900, 40)
    assert proposal.auc == (0.75, 0.65, 0.85)
    assert proposal.hand_made == (0.7, 0.6, 0.8)
    assert proposal.is_few


def test_a_draft_of_a_proposal_has_its_points_and_thresholds_and_the_rest_of_the_base(drafts: DraftStore) -> None:
    draft = drafts.create("fitted", "v2", by="aoi", proposals=kept_proposals(drafts.home))
    same = drafts.create("same", "v2", by="aoi")
    assert {
        (row["item_code"], row["band_no"]): row["coefficient"]
        for row in draft.own("risk_coefficients")
        if row["difficulty_type"] == "abuse"
    } == POINTS

    def rows(made: object, table: str, difficulty: str) -> list[Texts]:
        own = [row for row in made.own(table) if row["difficulty_type"] == difficulty]
        return [{name: text for name, text in row.items() if name != "model_version"} for row in own]

    assert {row["tier"]: row.get("min_score") for row in rows(draft, "risk_tiers", "abuse")} == {
        "high": "11", "latent": "6", "low": rows(same, "risk_tiers", "abuse")[-1].get("min_score"),
    }  # fmt: skip
    assert rows(draft, "risk_overrides", "abuse") == rows(same, "risk_overrides", "abuse") != []
    for table in ("risk_coefficients", "risk_tiers"):
        assert rows(draft, table, "poverty") == rows(same, table, "poverty") != []
    assert not [placed for placed in draft.check() if placed.mistake.is_fatal]
    # The cap of the group of moves bounds what was fitted without one; absence has one item with points.
    assert groups_that_cut(draft.texts, "fitted", "abuse") == ["mobility"]


def test_what_was_proposed_stays_beside_what_is_typed_later(drafts: DraftStore) -> None:
    draft = drafts.create("fitted", "v2", by="aoi", proposals=kept_proposals(drafts.home))
    (place,) = [
        place for place, row in draft.texts.items()
        if place.table == "risk_coefficients" and place.key[:2] == ("fitted", "abuse")
        and (row["item_code"], row["band_no"]) == ("household_moves", "2")
    ]  # fmt: skip
    drafts.edit(draft.draft_id, 1, {place: {**draft.texts[place], "coefficient": "1"}}, by="aoi")
    edited = drafts.draft(draft.draft_id)
    assert edited.texts[place]["coefficient"] == "1"
    assert drafts.proposed(edited).texts[place]["coefficient"] == "5"
    assert drafts.proposed(drafts.create("plain", "v2", by="aoi")) is None
    assert edited.writers == {"aoi"}


def test_a_proposal_of_other_items_or_for_another_version_makes_no_draft(drafts: DraftStore) -> None:
    write(drafts.home.proposals / "poverty", {("gone", "1"): "2"}, "poverty")
    with pytest.raises(UsageError, match="items that have changed"):
        drafts.create("fitted", "v2", by="aoi", proposals=kept_proposals(drafts.home))
    with pytest.raises(UsageError, match="does not score abuse"):
        drafts.create("fitted", "trial-1", by="aoi", proposals=kept_proposals(drafts.home)[:1])
    assert drafts.current() == []
