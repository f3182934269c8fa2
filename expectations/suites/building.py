"""How the suites write what they expect: every check has a name, a label for people and a severity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from expectations.results import Severity

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

BLOCKS: Severity = "blocks_publication"
"""Nothing is published while it fails."""
LOOK: Severity = "steward_must_look"
"""A data steward must look; publication goes on."""
NOTE: Severity = "note"
"""Worth knowing."""

LIBRARY_SEVERITIES: dict[Severity, str] = {BLOCKS: "critical", LOOK: "warning", NOTE: "info"}


@dataclass(frozen=True)
class Check:
    """One expectation of a table: cheap to list, because the library is imported only when it is carried out."""

    name: str
    label_ja: str
    severity: Severity
    expectation_type: str
    """The class in great_expectations.expectations."""
    arguments: Mapping[str, Any]

    def to_expectation(self) -> Expectation:
        """The library's own expectation. Raises AttributeError for a type that it does not have."""
        import great_expectations.expectations as gxe

        make = getattr(gxe, self.expectation_type)
        return make(**self.arguments, severity=LIBRARY_SEVERITIES[self.severity], meta={"name": self.name})


def no_rows(name: str, label_ja: str, severity: Severity, query: str) -> Check:
    """That a query returns no rows. ``{batch}`` stands for the table; only the rows it returns are counted."""
    return Check(name, label_ja, severity, "UnexpectedRowsExpectation", {"unexpected_rows_query": query})


def expect(name: str, label_ja: str, severity: Severity, expectation_type: str, **arguments: Any) -> Check:
    """One of the expectations that Great Expectations brings."""
    return Check(name, label_ja, severity, expectation_type, arguments)
