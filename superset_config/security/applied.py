"""Which dashboards, rules and access `kodomo superset apply` applied last, by the version and hash of its files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from kodomo.access.access import ACCESS_FILE
from kodomo.files import write_atomically
from kodomo.home import Home
from kodomo.versions import VERSION

ASSETS = Path(__file__).parents[1] / "assets"


def files_hash() -> str:
    """Of the files that an application reads, but for the staff list."""
    digest = hashlib.sha256()
    for path in (ACCESS_FILE, Path(__file__).with_name("rules.py"), *sorted(ASSETS.rglob("*.y*ml"))):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def note_applied(home: Home) -> None:
    """Record that what the files say now is applied."""
    write_atomically(home.applied, json.dumps({"version": VERSION, "files": files_hash()}))


def applied_version(home: Home) -> str | None:
    """The version of what is applied: None where it is that of the files, "" where none is on record."""
    try:
        content = json.loads(home.applied.read_text(encoding="utf-8"))
        return None if content["files"] == files_hash() else str(content["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
