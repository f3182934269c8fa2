"""A home made by hand with what is watched."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from kodomo.home import Home
from kodomo.publication.identity import FORMAT
from kodomo.publication.publication import CURRENT, MANIFEST, access_hash


def put_in_service(home: Home, published_at: dt.datetime | str, /, **changes: Any) -> Path:
    """A publication that is nothing but its manifest, in service; returns its folder."""
    folder = home.ensure().published / "r1"
    folder.mkdir(parents=True)
    manifest = {
        "run_id": "r1", "as_of_on": "2026-04-01", "published_at": str(published_at), "scopes": [],
        "format": FORMAT, "access": access_hash(),
    }  # fmt: skip
    (folder / MANIFEST).write_text(json.dumps({**manifest, **changes}), encoding="utf-8")
    (home.published / CURRENT).symlink_to("r1")
    return folder
