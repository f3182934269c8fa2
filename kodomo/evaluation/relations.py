"""The relations by which the children of a past date are frozen and judged."""

from __future__ import annotations

from kodomo.scoring.replay import SCORES

FREEZING = (
    *(f"intermediate.{name}" for name in SCORES),
    "intermediate.int_risk__met_bands",
    "intermediate.int_risk__scope_members",
    "intermediate.int_child__profiles",
)
"""What is computed again for the date."""
AS_BUILT = ("intermediate.int_person__pregnancies", "intermediate.int_observations__all")
"""What is read as the build has it: who was born since, and what lasted on the frozen date."""
FROZEN = "intermediate.int_evaluation__frozen"
"""The children as of the date."""
COHORT = "intermediate.int_evaluation__cohort"
"""Who could become a case of a difficulty type after the date, and who did."""
REFUSED = "intermediate.int_evaluation__refused_items"
"""Items that are no evidence for a type, since they are made from its cases."""
