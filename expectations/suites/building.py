"""How the suites write their expectations: every one has a name, a severity and a label for people."""

from __future__ import annotations

from typing import Any

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.metadata_types import FailureSeverity

BLOCKS = FailureSeverity.CRITICAL
"""Nothing is published while it fails."""
LOOK = FailureSeverity.WARNING
"""A data steward must look; publication goes on."""
NOTE = FailureSeverity.INFO
"""Worth knowing."""


def no_rows(name: str, label_ja: str, severity: FailureSeverity, query: str) -> Expectation:
    """That a query finds nothing. ``{batch}`` stands for the table; only the rows it finds are counted."""
    return gxe.UnexpectedRowsExpectation(
        unexpected_rows_query=query, severity=severity, meta={"name": name, "label_ja": label_ja}
    )


def expect(
    name: str, label_ja: str, severity: FailureSeverity, expectation: type[Expectation], **kwargs: Any
) -> Expectation:
    """One of the expectations that Great Expectations brings."""
    return expectation(**kwargs, severity=severity, meta={"name": name, "label_ja": label_ja})
