"""The state of the landing folder for the sensor: the content of its files, independent of their names."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kodomo.home import Home
from kodomo.ingest.folder import (
    Settling,
    UnreadableError,
    UnsettledError,
    is_partial,
    is_settled,
    landed_files,
    read_file,
    unread_hash,
)
from kodomo.messages import Sentence

SETTLED_SECONDS = 30
"""A file that changed less long ago may still be written."""


@dataclass(frozen=True)
class Landing:
    """What lies in the folder: ``files`` by relative path, each with its state on disk and its hash."""

    files: Mapping[str, tuple[list[int], str]] = field(default_factory=dict)
    unsettled: int = 0

    @property
    def digest(self) -> str:
        """Of all names and contents: another one means that there is something to take."""
        text = "\n".join(f"{name}\t{sha256}" for name, (_, sha256) in sorted(self.files.items()))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_cursor(self) -> str:
        """For the next look."""
        return json.dumps(self.files)

    @classmethod
    def from_cursor(cls, cursor: str | None) -> Landing:
        """What the last look saw."""
        return cls({name: (state, sha256) for name, (state, sha256) in json.loads(cursor or "{}").items()})


def settling() -> Settling:
    """The settling rule of an unattended look: files still being written are left to the next look."""
    return Settling.from_environment(SETTLED_SECONDS, 0)


def look(landing: Path, before: Landing, now: float | None = None) -> Landing:
    """The folder as it is now. A file is read again only if it was touched since ``before``: also with the same size
    and date the change time shows that. Files that are being written are left for the next look.
    """
    now = time.time() if now is None else now
    seconds = settling().seconds
    files = {}
    unsettled = 0
    for file in landed_files(landing):
        name = f"{file.source_id}/{file.name}"
        try:
            stat = file.path.lstat()
            state = [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
            known = before.files.get(name)
            if known and known[0] == state:
                files[name] = known
            elif file.fault is not None:
                files[name] = (state, unread_hash(file))
            elif is_partial(file.name) or not is_settled(stat, seconds, now):
                unsettled += 1
                if known:
                    files[name] = known
            else:
                files[name] = (state, hashlib.sha256(read_file(file.path)).hexdigest())
        except (UnsettledError, FileNotFoundError):
            unsettled += 1
        except (UnreadableError, OSError) as error:
            # A run refuses it, and says so.
            files[name] = ([], unread_hash(replace(file, fault=Sentence("{cause}", cause=str(error)))))
    return Landing(files, unsettled)


def landing_of(home: Home) -> Path:
    """The landing folder of an installation: that of ``KODOMO_LANDING``, else the home's own."""
    return Path(os.environ.get("KODOMO_LANDING") or home.landing)
