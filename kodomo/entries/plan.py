"""The support plan (サポートプラン) as it is handed to a family."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from kodomo.entries.forms import forms

FORM = "support_plan"


@dataclass(frozen=True)
class Step:
    """One step of a plan: what is done, by whom, until when."""

    action: str
    actor: str
    until: dt.date


@dataclass(frozen=True)
class FamilyPlan:
    """A plan without what is for staff only."""

    planned_on: dt.date
    wishes: str
    goal: str
    steps: tuple[Step, ...]
    review_on: dt.date


def for_family(content: Mapping[str, str]) -> FamilyPlan:
    """The plan of an entry of the form, as the family has it: no note for staff, no outcome of a review."""
    numbers = sorted({field.row[1] for field in forms()[FORM].fields if field.row})
    return FamilyPlan(
        planned_on=dt.date.fromisoformat(content["planned_on"]),
        wishes=content.get("wishes", ""),
        goal=content["goal"],
        steps=tuple(
            Step(
                content[f"step_{number}_action"],
                content[f"step_{number}_actor"],
                dt.date.fromisoformat(content[f"step_{number}_until"]),
            )
            for number in numbers
            if f"step_{number}_action" in content
        ),
        review_on=dt.date.fromisoformat(content["review_on"]),
    )
