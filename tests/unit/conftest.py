"""What tests of people and families share: the compiled models."""

from __future__ import annotations

import pytest

from kodomo.home import Home
from tests.unit.models.family_warehouse import compile_models


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    """(name, relation, SQL) of the models of people and families, compiled once."""
    return compile_models(Home(tmp_path_factory.mktemp("home") / "var").ensure())
