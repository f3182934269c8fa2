"""Disk space is looked at before a run."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from kodomo import disk
from kodomo.disk import FIXED_BYTES, GIB, PER_NEW_BYTE, PER_WAREHOUSE_BYTE, space
from kodomo.faults import FaultError
from kodomo.home import Home
from kodomo.limits import Limits
from orchestration.batch import Batch
from orchestration.run import run_batch


def test_need_grows_with_the_warehouse_and_with_files_that_came_since_the_last_publication(tmp_path: Path) -> None:
    home, landing = Home(tmp_path / "var").ensure(), tmp_path / "landing"
    home.published.mkdir()
    landing.mkdir()
    (landing / "old.csv").write_bytes(b"x" * 1000)
    home.warehouse.write_bytes(b"x" * 500)
    base = FIXED_BYTES + int(Limits().free_gib * GIB) + PER_WAREHOUSE_BYTE * 500
    assert space(home, None, Limits()).needed == base
    assert space(home, landing, Limits()).needed == base + PER_NEW_BYTE * 1000
    link = home.published / "current"
    link.symlink_to("r1")
    later = (landing / "old.csv").stat().st_ctime + 10
    os.utime(link, (later, later), follow_symlinks=False)
    assert space(home, landing, Limits()).needed == base
    new = landing / "new.csv"
    new.write_bytes(b"x" * 300)
    os.utime(new, (later + 10, later + 10))
    (landing / "link.csv").symlink_to(new)
    assert space(home, landing, Limits(free_gib=1)).needed == base + PER_NEW_BYTE * 300


def test_a_run_without_room_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _path: SimpleNamespace(free=GIB // 2))
    home = Home(tmp_path / "var")
    batch = Batch(home, tmp_path, dt.date(2026, 4, 1))
    with pytest.raises(FaultError, match=r"空きが 0\.5 GiB .* 1\.2 GiB"):
        run_batch(batch)
    assert not home.root.exists()
    with pytest.raises(FaultError, match="空きが"):
        batch.ingest()
    assert not home.warehouse.exists()
    assert not batch.lock.is_held
