"""The suites as code, one module per layer: table → checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from expectations.suites import intermediate, marts, raw, staging
from expectations.suites.building import Check

Suites = Mapping[str, Mapping[str, Sequence[Check]]]
"""Layer → table → checks."""

ALL: Suites = {
    "raw": raw.SUITES,
    "staging": staging.SUITES,
    "intermediate": intermediate.SUITES,
    "marts": marts.SUITES,
}
