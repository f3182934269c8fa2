"""Dates on the command line: one format, and an error that names the option."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli import build_app
from orchestration.options import day

DATED = [
    ["run", "--landing", "landing", "--as-of"],
    ["synth", "out", "--as-of"],
    ["retention", "list", "--as-of"],
    ["meeting", "list", "--on"],
    ["model", "propose", "abuse", "--out", "out", "--as-of"],
    ["assess", "1", "--purpose", "p", "--as-of"],
]


@pytest.mark.parametrize("wrong", ["2026-13-01", "2026/04/01", "20260401", "tomorrow"])
@pytest.mark.parametrize("arguments", DATED, ids=lambda arguments: " ".join(arguments[:2]))
def test_invalid_date_is_a_usage_error(
    arguments: list[str], wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KODOMO_HOME", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(build_app(), [*arguments, wrong])
    assert result.exit_code == 2
    assert arguments[-1] in result.output
    assert not (tmp_path / "var").exists()


def test_day_of_an_option_is_its_date() -> None:
    assert day(dt.datetime(2026, 4, 1)) == dt.date(2026, 4, 1)
    assert day(None) is None
