"""What a command imports before it works: nothing of what only other commands use."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("dagster", "dbt", "flask", "great_expectations", "numpy", "ortools", "pandas", "pyarrow", "splink", "superset")


@pytest.mark.parametrize(
    "code",
    [
        "from orchestration.cli import build_app; build_app()",
        "import kodomo.publication, kodomo.ingest.decisions, kodomo.entries.store",
        "import kodomo.determination.determination, kodomo.determination.record",
    ],
)
def test_small_commands_import_no_heavy_package(code: str) -> None:
    listed = f"{code}; import sys; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []
