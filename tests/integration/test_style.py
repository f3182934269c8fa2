"""The SQL as dbt renders it, and the Python, keep to the style of pyproject.toml."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT

# Trees of SQL are many objects that live long: to look for garbage among them as often as usual is a third of the time.
SQLFLUFF = ("-c", "import gc; gc.set_threshold(200_000, 20, 100); from sqlfluff.cli.commands import cli; cli()", "lint")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for dbt's files."""
    return tmp_path_factory.mktemp("style")


def findings(home: Path, *arguments: str) -> str:
    """What a linter says; empty if it ends well."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env={**os.environ, "KODOMO_HOME": str(home)},
        text=True,
        capture_output=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(2700)
def test_sql_has_no_findings_as_dbt_renders_it(home: Path) -> None:
    # A staging model that is the call of a macro holds no SQL of its own.
    models = [
        str(path.relative_to(PROJECT))
        for folder in ("models", "tests/dbt")
        for path in sorted((PROJECT / folder).rglob("*.sql"))
        if not path.read_text(encoding="utf-8").startswith("{{ staging_model(")
    ]
    # One process for all: to read the project takes as long as to lint ten models.
    arguments = ("--templater", "dbt", "--disable-progress-bar", "--processes", "1")
    assert findings(home, *SQLFLUFF, *arguments, *models) == ""


def test_sql_of_macros_has_no_findings(home: Path) -> None:
    assert findings(home, *SQLFLUFF, "--disable-progress-bar", "macros") == ""


def test_python_has_no_findings(home: Path) -> None:
    assert findings(home, "-m", "ruff", "check", ".") == ""
    assert findings(home, "-m", "ruff", "format", "--check", ".") == ""
