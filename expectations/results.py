"""The result of an expectation: counts and names, never a value of a person."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

Severity = Literal["blocks_publication", "steward_must_look", "note"]
Status = Literal["passed", "failed", "errored"]

LAYERS = ("raw", "staging", "intermediate", "marts")


@dataclass(frozen=True)
class QualityResult:
    """One expectation in one run; a row of ``raw.quality_results``."""

    run_id: str
    layer: str
    table: str
    """The table, with its schema."""
    expectation: str
    severity: Severity
    status: Status
    """``errored``: the check itself could not be carried out, so that nothing is known."""
    unexpected_count: int | None
    """Rows that do not meet the expectation; None where the check errored."""
    element_count: int | None
    """Rows of the table; None where it could not be read."""
    checked_at: dt.datetime
    label_ja: str = ""
    """What is expected, for people."""

    @property
    def is_blocking(self) -> bool:
        """Whether nothing may be published: what could not be checked has not passed either."""
        return self.severity == "blocks_publication" and self.status != "passed"
