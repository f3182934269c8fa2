"""The benchmark gives the scoring models all that they read."""

from __future__ import annotations

import pytest

from benchmarks import scoring


def test_the_benchmark_scores_every_child(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr("sys.argv", ["scoring.py", "40"])
    scoring.main()
    assert "40 children" in capsys.readouterr().out
