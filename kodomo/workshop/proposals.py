"""Proposals of coefficients as the beginning of a draft: what was fitted, beside what is in force."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kodomo.errors import UsageError
from kodomo.evaluation.proposal import ENOUGH_CASES, REPORT
from kodomo.home import Home
from kodomo.seeds import read_seed
from kodomo.workshop.rows import OF_A_VERSION, Changes, Place, Texts, read_texts

_CHANGED_ITEMS = "The proposal for {types} is made of items that have changed: make it anew."


@dataclass(frozen=True)
class KeptProposal:
    """The last proposal of a difficulty type. ``auc``: its value with the ends of its 95 % interval, judged on
    children whom it was not fitted to; ``hand_made``: that of the version in force, on the same children."""

    difficulty_type: str
    frozen_on: tuple[dt.date, ...]
    children: int
    cases: int
    auc: tuple[float, float, float] | None
    hand_made: tuple[float, float, float] | None
    rows: Mapping[Place, Texts]

    @property
    def is_few(self) -> bool:
        """Whether there were too few cases to tell a good proposal from a bad one."""
        return self.cases < ENOUGH_CASES


def kept_proposals(home: Home) -> list[KeptProposal]:
    """The proposals of this home, in the order of the difficulty types; none before the first."""
    folders = [home.proposals / row["difficulty_type"] for row in read_seed("difficulty_types")]
    return [_read(folder) for folder in folders if (folder / REPORT).exists()]


def _read(folder: Path) -> KeptProposal:
    report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    judged = {row["name"]: row for row in report["judgements"]}
    by_hand = next((row for name, row in judged.items() if name.startswith("hand-made")), None)
    return KeptProposal(
        report["difficulty_type"],
        tuple(map(dt.date.fromisoformat, report["frozen_on"])),
        report["children"],
        report["cases"],
        _auc(judged.get(report["method"])),
        _auc(by_hand),
        read_texts(folder),
    )


def _auc(judgement: Mapping[str, Any] | None) -> tuple[float, float, float] | None:
    if judgement is None or judgement["auc"] is None:
        return None
    return judgement["auc"], judgement["auc_low"], judgement["auc_high"]


def proposed_rows(
    base: Mapping[Place, Texts], copied: Mapping[Place, Texts], proposals: Iterable[KeptProposal], name: str
) -> Changes:
    """The rows of a draft whose types have the proposed coefficients and thresholds in the place of the present ones.

    ``base``: every row of the definition that the draft begins with; ``copied``: the rows of the base version under
    the draft's ``name``. Overrides, ages and groups stay: the first are policy, the last are shared by all versions.
    Raises UsageError for a type that the base version does not score, and for a proposal from other items.
    """
    rows: dict[Place, Texts | None] = dict(copied)
    for proposal in proposals:
        difficulty = proposal.difficulty_type
        tiers = [
            place for place in copied if place.table == "risk_tiers" and copied[place]["difficulty_type"] == difficulty
        ]
        if not tiers:
            raise UsageError("The base version does not score {types}: choose one that does.", types=difficulty)
        for place, row in copied.items():
            if place.table == "risk_coefficients" and row["difficulty_type"] == difficulty:
                del rows[place]
        for place, row in proposal.rows.items():
            if place.table == "risk_coefficients":
                if _band_of(row) not in base:
                    raise UsageError(_CHANGED_ITEMS, types=difficulty)
                own = {**row, "model_version": name}
                rows[Place.of(place.table, own)] = own
            elif place.table == "risk_tiers" and row.get("min_score"):
                own_place = Place.of(place.table, {**row, "model_version": name})
                if own_place in copied:
                    rows[own_place] = {**copied[own_place], "min_score": row["min_score"]}
    return rows


def is_proposal(folder: Path) -> bool:
    """Whether a folder was written by ``kodomo model propose``."""
    return (folder / REPORT).exists()


def version_of_proposal(folder: Path, base: Mapping[Place, Texts]) -> dict[Place, Texts]:
    """The rows of a proposal that are its version's own, for the items of a definition, which stay in their groups.

    Raises UsageError where the definition lacks a band that it has points for.
    """
    rows = {
        place: row for place, row in read_texts(folder).items()
        if place.table == "risk_model_versions" or (row.get("model_version") and place.table in OF_A_VERSION)
    }  # fmt: skip
    for place, row in rows.items():
        if place.table in ("risk_coefficients", "risk_overrides") and _band_of(row) not in base:
            raise UsageError(_CHANGED_ITEMS, types=row["difficulty_type"])
    return rows


def groups_that_cut_a_proposal(folder: Path, texts: Mapping[Place, Texts]) -> dict[str, list[str]]:
    """Version of a proposal folder → the groups of a definition that may take points away from it."""
    if not is_proposal(folder):
        return {}
    types = {
        (row["model_version"], row["difficulty_type"])
        for place, row in read_texts(folder).items()
        if place.table == "risk_coefficients"
    }
    cut = {version: groups_that_cut(texts, version, difficulty) for version, difficulty in sorted(types)}
    return {version: groups for version, groups in cut.items() if groups}


def _band_of(row: Texts) -> Place:
    return Place("risk_bands", (row["item_code"], row["band_no"]))


def groups_that_cut(texts: Mapping[Place, Texts], version: str, difficulty: str) -> list[str]:
    """Codes of the groups that may take points away from a version: those with a cap or of which only the largest
    counts, with more than one item that has points. What was fitted was fitted without groups."""
    points = {
        row["item_code"]
        for place, row in texts.items()
        if place.table == "risk_coefficients"
        and (row["model_version"], row["difficulty_type"]) == (version, difficulty)
    }
    members: dict[str, int] = {}
    for place, row in texts.items():
        if place.table == "risk_items" and place.key[0] in points and row.get("group_code"):
            members[row["group_code"]] = members.get(row["group_code"], 0) + 1
    groups = {place.key[0]: row for place, row in texts.items() if place.table == "risk_groups"}
    return sorted(
        code
        for code, count in members.items()
        if groups.get(code, {}).get("cap") or (count > 1 and groups.get(code, {}).get("combine") == "max")
    )
