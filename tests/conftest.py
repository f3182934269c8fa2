"""What several kinds of tests share: a small city, built once."""

from __future__ import annotations

import datetime as dt
import gc
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

PROJECT = Path(__file__).resolve().parent.parent
# Tests look for the English messages, which the Japanese ones are translations of.
os.environ["LANG"] = "en_US.UTF-8"
# dbt's manifest, Superset and Dagster are many objects that live long: to look for garbage among them costs a tenth.
gc.set_threshold(200_000, 20, 100)
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


SLOW = ("security", "e2e", "integration", "field")
SERVED = "security"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For two workers, which take a file at a time in this order.

    Slow files come first, so that none is left alone with one at the end. Files that need a server and files that need
    a city take turns: while one worker builds a city, the other has something else to do.
    """
    places: dict[Path, tuple[int, int]] = {}
    counted: Counter[bool] = Counter()
    for path in dict.fromkeys(item.path for item in sorted(items, key=lambda item: _folder(item.path) != "e2e")):
        is_served = _folder(path) == SERVED
        if _folder(path) in SLOW:
            places[path] = (counted[is_served], int(not is_served))
            counted[is_served] += 1
    last = (len(items), 0)
    items.sort(key=lambda item: places.get(item.path, last))


def _folder(path: Path) -> str:
    return path.relative_to(PROJECT / "tests").parts[0]


def built_once(tmp_path_factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Path:
    """A worker's own copy of a folder that the first worker to ask builds; the others wait for it.

    ``build`` makes the folder of the path that it is given. Nothing in the folder may name its own path.
    """
    own = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        build(own / name)
        return own / name
    shared = own.parent / f"built-{name}"
    with FileLock(f"{shared}.lock"):
        if not (done := shared.with_suffix(".done")).exists():
            build(shared)
            done.touch()
    return Path(shutil.copytree(shared, own / name, symlinks=True))


@pytest.fixture(scope="session")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a synthetic city: ``landing`` and ``truth``."""
    return built_once(tmp_path_factory, "city", _write_city)


def _write_city(folder: Path) -> None:
    kodomo(
        "synth", str(folder), "--residents", str(RESIDENTS), "--seed", "7", "--as-of", AS_OF.isoformat(),
        # Damaged rows, as every city has them; of slips there is a test of its own.
        "--clean", "--dirty-rate", "0.0004",
        home=folder.with_name("home-of-synth"),
    )  # fmt: skip


@pytest.fixture(scope="session")
def city(landing: Path, tmp_path_factory: pytest.TempPathFactory) -> City:
    """A city after its first batch."""

    def run_batch(home: Path) -> None:
        arguments = ("--landing", str(landing / "landing"), "--as-of", AS_OF.isoformat(), "--json")
        run = kodomo("run", *arguments, home=home, check=False)
        assert run.returncode == 0, run.stdout + run.stderr

    return City(landing, built_once(tmp_path_factory, "home", run_batch))
