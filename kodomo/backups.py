"""The last backup of a home: the home records where and when, the backup whether it was ever put back."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

from kodomo.files import write_atomically
from kodomo.home import Home

MANIFEST = "backup.json"
RESTORED = "restored.txt"
"""Beside the manifest: when the backup was last put back."""


@dataclass(frozen=True)
class Backup:
    """A backup that was made. ``is_restored``: whether it was ever put back, into whatever home."""

    folder: Path
    made_at: dt.datetime
    is_restored: bool


def note_backup(home: Home, folder: Path, made_at: str) -> None:
    """Record the newest backup of a home."""
    write_atomically(home.backups, json.dumps({"folder": str(folder), "made_at": made_at}))


def last_backup(home: Home) -> Backup | None:
    """The newest backup of this home; None where none is on record, or where its folder is gone."""
    try:
        content = json.loads(home.backups.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    folder = Path(content["folder"])
    if not (folder / MANIFEST).exists():
        return None
    return Backup(folder, dt.datetime.fromisoformat(content["made_at"]), (folder / RESTORED).exists())
