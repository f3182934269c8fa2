"""The version of kodomo, and which homes it takes over: the one place that says so.

A home records which version has written it. What a version brought along is in the migrations of the warehouse and of
the entries. The version is raised with each release whose homes the one before must not write.
"""

from __future__ import annotations

import datetime as dt
import json

from kodomo.errors import KodomoError
from kodomo.faults import FaultError
from kodomo.files import write_atomically
from kodomo.home import Home

VERSION = "0.2.0"
OLDEST_HOME = "0.1.0"
"""The oldest version whose homes this one brings up to date."""
BEFORE_RECORDS = "0.1.0"
"""The version of homes that record none."""


def written_by(home: Home) -> str | None:
    """The version that has written a home; None for one without data.

    Raises KodomoError where the record cannot be read.
    """
    try:
        version = str(json.loads(home.version.read_text(encoding="utf-8"))["version"])
        _parts(version)
    except FileNotFoundError:
        return BEFORE_RECORDS if home.warehouse.exists() or home.entries.exists() else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KodomoError(
            "{path} cannot be read: restore it from a backup.", path=home.version.relative_to(home.root)
        ) from error
    return version


def is_older(home: Home) -> bool:
    """Whether an earlier version has written a home, and this one has not yet."""
    version = written_by(home)
    return version is not None and _parts(version) < _parts(VERSION)


def require_compatible(home: Home) -> None:
    """Raise FaultError where a later version has written a home, or one that this one does not take over."""
    require_version(written_by(home))


def require_version(written: str | None) -> None:
    """As ``require_compatible`` of a home that ``written`` has written; None for one without data."""
    if written is None:
        return
    if _parts(written) > _parts(VERSION):
        raise FaultError("home_newer", written=written, version=VERSION)
    if _parts(written) < _parts(OLDEST_HOME):
        raise FaultError("home_too_old", written=written, version=VERSION, oldest=OLDEST_HOME)


def enter(home: Home) -> None:
    """Before a home is written: refuse one that does not fit, and record this version in one without data."""
    require_compatible(home)
    if written_by(home) is None:
        record_version(home)


def record_version(home: Home) -> None:
    """Record that this version has written a home, and all of it is brought up to date."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    if not home.version.exists() or written_by(home) != VERSION:
        write_atomically(home.version, json.dumps({"version": VERSION, "since": now}))


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
