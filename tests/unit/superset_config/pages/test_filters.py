"""How pages write values."""

from __future__ import annotations

from decimal import Decimal

import pytest

from superset_config.pages.base import points


@pytest.mark.parametrize(
    ("value", "shown"),
    [("0", "0"), ("10", "10"), ("100.000", "100"), ("0.500", "0.5"), ("-2.250", "-2.25"), ("0.000", "0")],
)
def test_points_keep_the_zeros_that_say_something(value: str, shown: str) -> None:
    assert points(Decimal(value)) == shown
