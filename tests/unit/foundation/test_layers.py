"""Who may import whom, as pyproject.toml says it: kept by the tree, and broken by one wrong import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kodomo.home import PROJECT

PACKAGES = ("kodomo", "orchestration", "superset_config", "expectations", "synthetic_city")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        text=True,
        capture_output=True,
        check=False,
    )


def test_the_tree_keeps_its_layers() -> None:
    linted = lint(PROJECT)
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(
    ("module", "wrong_import"),
    [
        ("kodomo/scoring/definition.py", "import kodomo.determination.service"),
        ("kodomo/home.py", "import orchestration.batch"),
        ("superset_config/pages/words.py", "import expectations.gate"),
        ("kodomo/errors.py", "import typer"),
        ("kodomo/entries/store.py", "import kodomo.entries.meeting"),
    ],
)
def test_one_wrong_import_breaks_them(tmp_path: Path, module: str, wrong_import: str) -> None:
    for package in PACKAGES:
        shutil.copytree(
            PROJECT / package, tmp_path / package, ignore=lambda folder, names: [
                name for name in names if not (Path(folder, name).is_dir() or name.endswith(".py"))
            ],
        )  # fmt: skip
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    file = tmp_path / module
    file.write_text(file.read_text(encoding="utf-8") + f"\n{wrong_import}\n", encoding="utf-8")
    linted = lint(tmp_path)
    assert linted.returncode == 1, linted.stdout
    assert "BROKEN" in linted.stdout
