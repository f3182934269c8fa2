"""dbt's own unit tests: a batch leaves them out, because they test the code and not a delivery."""

from __future__ import annotations

import shutil
from pathlib import Path

from kodomo import dbt_runner
from kodomo.home import Home
from tests.conftest import City


def test_models_do_to_given_rows_what_their_unit_tests_expect(city: City, tmp_path: Path) -> None:
    home = Home(tmp_path / "var").ensure()
    shutil.copy(city.warehouse, home.warehouse)
    results = dbt_runner.invoke(home, ["test", "--select", "test_type:unit"]).result.results
    assert results
    assert [(run.node.name, run.message) for run in results if run.status != "pass"] == []
