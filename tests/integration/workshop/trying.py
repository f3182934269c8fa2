"""A draft with every kind of change, and every row that a trial computes for it."""

from __future__ import annotations

import datetime as dt

from kodomo.determination.service import reading
from kodomo.scoring.replay import SCRATCH, open_scratch
from kodomo.workshop.drafts import Draft, DraftStore
from kodomo.workshop.rows import Place, Texts
from kodomo.workshop.trial import CONTENTS, PRIORITIES, evaluate, give_support
from tests.conftest import AS_OF

SCORES = "difficulty_type, person_id, score, tier, is_override, completeness"
CONTRIBUTIONS = "difficulty_type, person_id, item_code, band_no, raw_value, coefficient, is_counted, evidence"
MODELS = {"int_risk__scores": SCORES, "int_risk__contributions": CONTRIBUTIONS}
MARTS = {"int_risk__scores": "fct_risk_score", "int_risk__contributions": "fct_risk_contribution"}


def rows_of(drafts: DraftStore, draft: Draft, base: str = "") -> dict[str, list[tuple]]:
    """Every row that a trial computes for the draft's version."""
    with reading(drafts.home) as (connection, reader):
        open_scratch(connection, AS_OF)
        evaluate(connection, reader.models, draft.definition, draft.model_version, base)
        return {
            model: connection.execute(
                f"select {columns} from {SCRATCH}.intermediate.{model} where model_version = ? order by all",
                [draft.model_version],
            ).fetchall()
            for model, columns in MODELS.items()
        }


def support_of(drafts: DraftStore, draft: Draft, as_of_on: dt.date = AS_OF) -> dict[str, list[tuple]]:
    """Every priority and support content that a trial computes for a draft of a version in service."""
    with reading(drafts.home) as (connection, reader):
        open_scratch(connection, as_of_on)
        evaluate(connection, reader.models, draft.definition, draft.model_version, draft.base_version)
        give_support(connection, reader.models, draft.model_version, draft.base_version)
        return {
            relation: connection.execute(f"select * from {SCRATCH}.{relation} order by all").fetchall()
            for relation in (PRIORITIES, CONTENTS)
        }


def ruled(drafts: DraftStore, draft: Draft) -> Draft:
    """A draft with rules of priority of its own: the ungrave wait long."""
    rules: list[Texts] = [
        {
            "model_version": draft.model_version,
            "rule_no": "1",
            "min_tier": "high",
            "priority_class": "B",
            "due_days": "20",
        },
        {"model_version": draft.model_version, "rule_no": "2", "priority_class": "C", "due_days": "99"},
    ]
    changes = {Place.of("support_priority_rules", row): row for row in rules}
    drafts.edit(draft.draft_id, draft.version, changes, by="aoi")
    return drafts.draft(draft.draft_id)


def edited(drafts: DraftStore, name: str) -> Draft:
    """A draft of v2 with a heavier item, a lower threshold, a new item, a combination of it, and an override."""
    draft = drafts.create(name, "v2", by="aoi")
    own = {"model_version": name, "difficulty_type": "abuse"}
    high = next(
        row for row in draft.own("risk_tiers") if (row["difficulty_type"], row["tier"]) == ("abuse", "high")
    )  # fmt: skip
    rows: list[tuple[str, Texts]] = [
        ("risk_coefficients", {**own, "item_code": "household_moves", "band_no": "1", "coefficient": "3.5"}),
        ("risk_tiers", {**high, "min_score": "8"}),
        (
            "risk_items",
            {
                "item_code": "mother_moves", "label_ja": "母の転居", "category": "家庭", "kind": "observation",
                "observation_code": "household_move", "scope": "mother", "lookback_months": "24", "aggregate": "count",
            },
        ),
        ("risk_bands", {"item_code": "mother_moves", "band_no": "1", "lower": "1", "label_ja": "1以上"}),
        ("risk_coefficients", {**own, "item_code": "mother_moves", "band_no": "1", "coefficient": "1.25"}),
        (
            "risk_items",
            {"item_code": "c_moves", "label_ja": "母子の転居", "category": "家庭", "kind": "combination"},
        ),
        ("risk_item_members", {"item_code": "c_moves", "member_item_code": "mother_moves"}),
        ("risk_item_members", {"item_code": "c_moves", "member_item_code": "household_moves"}),
        ("risk_bands", {"item_code": "c_moves", "band_no": "1", "lower": "2", "label_ja": "両方"}),
        ("risk_coefficients", {**own, "item_code": "c_moves", "band_no": "1", "coefficient": "2"}),
        ("risk_overrides", {**own, "item_code": "c_moves", "band_no": "1", "at_least_tier": "latent"}),
    ]  # fmt: skip
    drafts.edit(draft.draft_id, 1, {Place.of(table, row): row for table, row in rows}, by="aoi")
    return drafts.draft(draft.draft_id)
