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
@pytest.mark.parametrize("folder", ["models/intermediate", "models/marts", "tests/dbt"])
def test_sql_has_no_findings_as_dbt_renders_it(home: Path, folder: str) -> None:
    arguments = ("lint", "--templater", "dbt", "--disable-progress-bar", "--processes", "1")
    assert findings(home, "sqlfluff", *arguments, folder) == ""


@pytest.mark.parametrize("folder", ["macros", "models/staging"])
def test_sql_that_is_a_macro_has_no_findings(home: Path, folder: str) -> None:
    # A staging model is the call of a macro: dbt's rendering of it holds nothing that is the model's own.
    assert findings(home, "sqlfluff", "lint", "--disable-progress-bar", folder) == ""


def test_python_has_no_findings(home: Path) -> None:
    assert findings(home, "ruff", "check", ".") == ""
    assert findings(home, "ruff", "format", "--check", ".") == ""
