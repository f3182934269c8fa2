"""What several kinds of tests share: a small city, built once."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
# Tests look for the English messages, which the Japanese ones are translations of.
os.environ["LANG"] = "en_US.UTF-8"
AS_OF = dt.date(2026, 4, 1)
RESIDENTS = 4400


def kodomo(*arguments: str, home: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command as its user would, in a process of its own."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("kodomo")), *arguments],
        env={**os.environ, "KODOMO_HOME": str(home)},
        cwd=PROJECT,
        text=True,
        capture_output=True,
        check=check,
    )


@dataclass(frozen=True)
class City:
    """A synthetic city's files, and the home that a run over them has filled."""

    folder: Path
    home: Path

    @property
    def landing(self) -> Path:
        """The extracts."""
        return self.folder / "landing"

    @property
    def warehouse(self) -> Path:
        """The warehouse of the run."""
        return self.home / "warehouse.duckdb"


SLOWEST_FIRST = ("security", "e2e", "integration", "field", "golden", "unit")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For two workers, which take a file at a time in this order: none is left alone with a slow one at the end."""
    items.sort(key=lambda item: SLOWEST_FIRST.index(item.path.relative_to(PROJECT / "tests").parts[0]))


@pytest.fixture(scope="session")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a synthetic city: ``landing`` and ``truth``."""
    folder = tmp_path_factory.mktemp("city") / "out"
    kodomo(
        "synth", str(folder), "--residents", str(RESIDENTS), "--seed", "7", "--as-of", AS_OF.isoformat(),
        # Damaged rows, as every city has them; of slips there is a test of its own.
        "--clean", "--dirty-rate", "0.0004",
        home=folder.parent / "home",
    )  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def city(landing: Path, tmp_path_factory: pytest.TempPathFactory) -> City:
    """A city after its first batch."""
    home = tmp_path_factory.mktemp("home") / "var"
    run = kodomo(
        "run",
        "--landing",
        str(landing / "landing"),
        "--as-of",
        AS_OF.isoformat(),
        "--json",
        home=home,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return City(landing, home)
