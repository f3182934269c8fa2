"""What tests of the scoring engine share."""

from __future__ import annotations

import pytest

from kodomo.home import Home


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One home, so that the scoring models are compiled once."""
    return Home(tmp_path_factory.mktemp("home") / "var")
