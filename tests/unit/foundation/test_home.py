"""The home keeps what it holds to its owner."""

from __future__ import annotations

from pathlib import Path

import pytest

from kodomo.home import Home


@pytest.mark.parametrize("mode", [None, 0o755, 0o770])
def test_only_its_owner_may_read_the_home(tmp_path: Path, mode: int | None) -> None:
    root = tmp_path / "var"
    if mode is not None:
        root.mkdir()
        root.chmod(mode)
    assert Home(root).ensure().root.stat().st_mode & 0o777 == 0o700
