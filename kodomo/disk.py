"""Disk space of a home: what is free, and what the next run needs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kodomo.faults import FaultError
from kodomo.home import Home
from kodomo.limits import Limits

GIB = 2**30
FIXED_BYTES = GIB // 4
"""Of a run that takes nothing: dbt's target, events, the least that 300 tables occupy."""
PER_WAREHOUSE_BYTE = 2
"""A publication beside those kept, and tables that stand twice until they are replaced."""
PER_NEW_BYTE = 10
"""Of a delivered file: its original, its rows in raw, staging and marts, and their publication."""


@dataclass(frozen=True)
class Space:
    """Bytes of the disk that holds a home. ``needed``: by the next run, with what it must leave free."""

    free: int
    needed: int

    @property
    def is_enough(self) -> bool:
        """Whether the next run finds room."""
        return self.free >= self.needed


def space(home: Home, landing: Path | None, limits: Limits) -> Space:
    """What is free and what a run over ``landing`` needs, by the sizes of files; nothing is opened.

    Raises OSError where the disk cannot be asked.
    """
    existing = next(folder for folder in (home.root, *home.root.parents) if folder.exists())
    files = (home.warehouse, home.warehouse.with_name(home.warehouse.name + ".wal"))
    warehouse = sum(file.stat().st_size for file in files if file.exists())
    new = sum(_new_sizes(home, landing)) if landing is not None else 0
    estimate = FIXED_BYTES + PER_WAREHOUSE_BYTE * warehouse + PER_NEW_BYTE * new
    return Space(shutil.disk_usage(existing).free, estimate + int(limits.free_gib * GIB))


def require_space(home: Home, landing: Path) -> None:
    """Raise FaultError (disk_full) where a run over ``landing`` would not find room."""
    here = space(home, landing, Limits.from_environment())
    if not here.is_enough:
        raise disk_full(here)


def disk_full(here: Space) -> FaultError:
    """What is said where there is no room for the next run."""
    return FaultError("disk_full", **in_gib(here))


def in_gib(here: Space) -> dict[str, str]:
    """Both sizes for a message."""
    return {"free": f"{here.free / GIB:.1f}", "needed": f"{here.needed / GIB:.1f}"}


def _new_sizes(home: Home, landing: Path) -> Iterator[int]:
    """Sizes of the files that were put into the landing folder since the last publication, links left out."""
    try:
        published = (home.published / "current").lstat().st_mtime
    except OSError:
        published = 0.0
    for folder, _, names in os.walk(landing):
        for name in names:
            try:
                status = os.lstat(os.path.join(folder, name))
            except OSError:
                # It was taken away meanwhile.
                continue
            # Moved here it keeps its date; the change time is that of its arrival.
            if max(status.st_mtime, status.st_ctime) > published:
                yield status.st_size
