"""The SQL as dbt renders it, and the Python, keep to the style of pyproject.toml."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for dbt's files, so that the second folder does not parse the project again."""
    return tmp_path_factory.mktemp("style")


def findings(home: Path, *arguments: str) -> str:
    """What a linter says; empty if it ends well."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=PROJECT,
        env={**os.environ, "KODOMO_HOME": str(home)},
        text=True,
        capture_output=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["models/staging", "models/intermediate", "models/marts", "tests/dbt"])
def test_sql_has_no_findings_as_dbt_renders_it(home: Path, folder: str) -> None:
    # A staging model that is the call of a macro holds no SQL of its own.
    models = [
        str(path.relative_to(PROJECT))
        for path in sorted((PROJECT / folder).rglob("*.sql"))
        if not path.read_text(encoding="utf-8").startswith("{{ staging_model(")
    ]
    arguments = ("lint", "--templater", "dbt", "--disable-progress-bar", "--processes", "1")
    assert findings(home, "sqlfluff", *arguments, *models) == ""


def test_sql_of_macros_has_no_findings(home: Path) -> None:
    assert findings(home, "sqlfluff", "lint", "--disable-progress-bar", "macros") == ""


def test_python_has_no_findings(home: Path) -> None:
    assert findings(home, "ruff", "check", ".") == ""
    assert findings(home, "ruff", "format", "--check", ".") == ""
