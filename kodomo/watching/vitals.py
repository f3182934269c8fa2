"""The vital signs of a home: batch, disk, queues, backup, run. No file is changed, no value of a person is read."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kodomo.backups import last_backup
from kodomo.disk import GIB, in_gib, space
from kodomo.entries.outbox import backlog
from kodomo.entries.store import looking
from kodomo.errors import KodomoError
from kodomo.faults import Fault, FaultError, fault
from kodomo.home import Home
from kodomo.ingest.uploads import Uploads
from kodomo.limits import Limits
from kodomo.publication.publication import CURRENT, MANIFEST
from kodomo.run_lock import run_state

OK, NOTE, WRONG = "ok", "note", "wrong"
"""Worst last: nothing to do, worth knowing, stops something."""
UPLOAD_HOURS = 1
"""How long a file that was sent waits for its check: one takes minutes."""
LOW = 2
"""The disk is nearly full where it holds less than so many runs' need."""

Figures = dict[str, float | int | str | bool | None]


@dataclass(frozen=True)
class Vital:
    """One sign. ``figures``: ages in seconds, sizes in bytes, counts, for machines; None where there is none."""

    name: str
    status: str
    figures: Figures = field(default_factory=dict)
    fault: Fault | None = None


def read_vitals(home: Home, landing: Path | None, limits: Limits, now: dt.datetime | None = None) -> list[Vital]:
    """Each sign, whatever state the home is in; ``landing``: what the next run would take."""
    now = now or dt.datetime.now(dt.UTC)
    signs: dict[str, Callable[[], Vital]] = {
        "batch": lambda: _batch(home, limits, now),
        "disk": lambda: _disk(home, landing, limits),
        "queue": lambda: _queue(home, limits, now),
        "backup": lambda: _backup(home, limits, now),
        "run": lambda: _run(home, limits, now),
    }
    return [_read(name, sign) for name, sign in signs.items()]


def worst(vitals: list[Vital]) -> str:
    """The status of all together."""
    return max((vital.status for vital in vitals), key=[OK, NOTE, WRONG].index)


def manifest_in_service(home: Home) -> dict[str, Any]:
    """What the publication in service says of itself, and its ``name``. Raises FaultError where none can be read."""
    link = home.published / CURRENT
    if not link.is_symlink():
        raise FaultError("publication_missing")
    folder = home.published / link.readlink()
    if not folder.is_dir():
        raise FaultError("publication_link")
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        manifest = None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("scopes"), list):
        raise FaultError("publication_manifest", name=folder.name)
    return {**manifest, "name": folder.name}


def _read(name: str, sign: Callable[[], Vital]) -> Vital:
    try:
        return sign()
    except FaultError as error:
        return Vital(name, WRONG, {}, error.fault)
    except (OSError, ValueError, KeyError, TypeError, KodomoError) as error:
        # A sign that cannot be read is no good sign.
        return _wrong(name, "vital_unreadable", {}, name=name, kind=type(error).__name__)


def _ok(name: str, figures: Figures) -> Vital:
    return Vital(name, OK, figures)


def _note(name: str, code: str, figures: Figures, /, **details: object) -> Vital:
    return Vital(name, NOTE, figures, fault(code, **details))


def _wrong(name: str, code: str, figures: Figures, /, **details: object) -> Vital:
    return Vital(name, WRONG, figures, fault(code, **details))


def _batch(home: Home, limits: Limits, now: dt.datetime) -> Vital:
    manifest = manifest_in_service(home)
    age = now - dt.datetime.fromisoformat(manifest["published_at"])
    figures: Figures = {"age_seconds": round(age.total_seconds()), "as_of_on": manifest.get("as_of_on")}
    if age > dt.timedelta(hours=limits.batch_hours):
        return _wrong("batch", "batch_old", figures, published=manifest["published_at"][:10], age=in_words(age))
    return _ok("batch", figures)


def _disk(home: Home, landing: Path | None, limits: Limits) -> Vital:
    here = space(home, landing, limits)
    figures: Figures = {"free_bytes": here.free, "needed_bytes": here.needed}
    if not here.is_enough:
        return _wrong("disk", "disk_full", figures, **in_gib(here))
    if here.free < max(LOW * here.needed, 2 * GIB):
        return _note("disk", "disk_low", figures, **in_gib(here))
    return _ok("disk", figures)


def _queue(home: Home, limits: Limits, now: dt.datetime) -> Vital:
    with looking(home) as connection:
        mails, since = (0, None) if connection is None else backlog(connection)
    mail_age = now.replace(tzinfo=None) - since if since else dt.timedelta()
    uploads = Uploads(home).unchecked()
    upload_age = max((now - upload.at for upload in uploads), default=dt.timedelta())
    figures: Figures = {
        "mails_waiting": mails,
        "oldest_mail_seconds": round(mail_age.total_seconds()),
        "uploads_waiting": len(uploads),
        "oldest_upload_seconds": round(upload_age.total_seconds()),
    }
    if mail_age > dt.timedelta(hours=limits.queue_hours):
        return _wrong("queue", "mails_stuck", figures, count=mails, age=in_words(mail_age))
    if upload_age > dt.timedelta(hours=UPLOAD_HOURS):
        return _wrong("queue", "uploads_stuck", figures, count=len(uploads), age=in_words(upload_age))
    return _ok("queue", figures)


def _backup(home: Home, limits: Limits, now: dt.datetime) -> Vital:
    last = last_backup(home)
    if last is None:
        return _note("backup", "backup_missing", {"age_seconds": None, "is_tried": False})
    age = now - last.made_at
    made = last.made_at.date().isoformat()
    figures: Figures = {"age_seconds": round(age.total_seconds()), "is_tried": last.is_restored}
    if age > dt.timedelta(days=limits.backup_days):
        return _wrong("backup", "backup_old", figures, made=made, days=age.days)
    if not last.is_restored:
        return _note("backup", "backup_untried", figures, made=made)
    return _ok("backup", figures)


def _run(home: Home, limits: Limits, now: dt.datetime) -> Vital:
    state = run_state(home)
    age = dt.timedelta() if state.since is None else now - state.since
    figures: Figures = {"is_running": state.is_held, "age_seconds": round(age.total_seconds()) if state.is_held else 0}
    if state.is_held and age > dt.timedelta(hours=limits.lock_hours):
        return _wrong("run", "run_long", figures, age=in_words(age), pid=state.pid)
    if not state.is_held and state.run_id:
        return _note("run", "run_killed", figures, run_id=state.run_id)
    return _ok("run", figures)


def in_words(age: dt.timedelta) -> str:
    """A length of time for people: hours up to two days, then days."""
    hours = int(age.total_seconds() // 3600)
    if hours < 1:
        return "1時間未満"
    return f"{hours}時間" if hours < 48 else f"{hours // 24}日"
