"""The home keeps what it holds to its owner."""

from __future__ import annotations

from pathlib import Path

import pytest

from kodomo.home import Home, unknown_paths


@pytest.mark.parametrize("mode", [None, 0o755, 0o770])
def test_only_its_owner_may_read_the_home(tmp_path: Path, mode: int | None) -> None:
    root = tmp_path / "var"
    if mode is not None:
        root.mkdir()
        root.chmod(mode)
    assert Home(root).ensure().root.stat().st_mode & 0o777 == 0o700


def test_path_outside_every_part_is_unknown(tmp_path: Path) -> None:
    home = Home(tmp_path / "var").ensure()
    (home.dbt / "logs").mkdir(parents=True)
    home.superset.mkdir()
    for path in (home.warehouse, home.root / "warehouse.duckdb.wal", home.secret_key, home.dbt / "logs" / "dbt.log"):
        path.touch()
    (home.root / "superset" / "superset.db-wal").touch()
    assert unknown_paths(home.root) == []
    (home.superset / "another.key").touch()
    (home.root / "warehouse.duckdb.bak").touch()
    assert unknown_paths(home.root) == ["superset/another.key", "warehouse.duckdb.bak"]
