"""The suites as code, one module per layer: table → expectations. Importing them imports Great Expectations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from great_expectations.expectations.expectation import Expectation

from expectations.suites import intermediate, marts, raw, staging

Suites = Mapping[str, Sequence[Expectation]]

ALL: dict[str, Suites] = {
    "raw": raw.SUITES,
    "staging": staging.SUITES,
    "intermediate": intermediate.SUITES,
    "marts": marts.SUITES,
}
