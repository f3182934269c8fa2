"""What the pages of the model say of a draft on a past date: asked for by itself, because it takes longer than 試算."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from flask import request

from kodomo.home import Home
from kodomo.publication.places import everyone_withheld
from kodomo.workshop.drafts import Draft
from kodomo.workshop.figures import SMALLEST, shown
from kodomo.workshop.judgement import (
    YEARS,
    Judgement,
    at_capacity,
    by_group,
    calibration,
    capacities,
    cases_of,
    cautions,
    is_shown,
    judge,
    overall,
)
from superset_config.pages.base import audit, store, username
from superset_config.pages.reach import Reach

TWO_DECIMALS = ("auc", "lift")
"""Measures that are no share."""


class DraftKey:
    """A draft as a key of a cache, by its id and version: both never change what they name."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self._key = (draft.draft_id, draft.version)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DraftKey) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=8)
def _judged(home: Home, _published: str, key: DraftKey, years: int, without_area: frozenset[str]) -> Judgement:
    return judge(home, key.draft, years, without_area)


def years_asked() -> int:
    """How many years back the request asks for; one for what is not offered."""
    years = request.args.get("years", "")
    return int(years) if years in {str(offered) for offered in YEARS} else YEARS[0]


def judgement_words(reach: Reach, draft: Draft, types: Mapping[str, str], chosen: str) -> dict[str, Any]:
    """What the template needs about a draft and a difficulty type on the date asked for. Logged."""
    years = years_asked()
    judgement = _judged(reach.home, reach.publication, DraftKey(draft), years, frozenset(_withheld_since(reach)))
    store().note_access(username(), "model_judgement", draft=draft.draft_id, version=draft.version, years=years)
    audit("model_judgement")
    people, cases = cases_of(judgement, chosen)
    offered = capacities(judgement)
    asked = request.args.get("capacity", "")
    capacity = int(asked) if asked in map(str, offered) else next(iter(offered), 0)
    return {
        "draft": draft,
        "types": types,
        "chosen": chosen,
        "years": years,
        "offered_years": YEARS,
        "judgement": judgement,
        "people": shown(people),
        "cases": shown(cases),
        "cautions": cautions(judgement, chosen),
        "overall": overall(judgement, draft, chosen),
        "calibration": calibration(judgement, draft, chosen),
        "groups": by_group(judgement, draft, chosen),
        "capacity": capacity,
        "offered_capacities": offered,
        "at_capacity": at_capacity(judgement, draft, chosen, capacity),
        "is_shown": is_shown,
        "two_decimals": TWO_DECIMALS,
        "smallest": SMALLEST,
    }


def _withheld_since(reach: Reach) -> Collection[str]:
    """Whose place is withheld by a measure that was entered after the publication: its areas do not know it yet."""
    return reach.withheld - everyone_withheld(reach.home) if reach.withheld else set()
