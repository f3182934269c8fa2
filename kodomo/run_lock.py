"""One run at a time: the lock of a home, held from a run's first step to the switch of its publication.

The lock of the warehouse file is not enough: it is free between two steps. The lock goes with the process that holds
it, so that a killed run leaves nothing to clean up.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kodomo.errors import RunInProgressError
from kodomo.home import Home
from kodomo.versions import enter

LOCKS = Path("/proc/locks")
"""The locks of this machine, one a line: number, kind, ADVISORY, WRITE or READ, process, device and inode."""
_USED: ContextVar[RunLock | None] = ContextVar("used_run_lock", default=None)


class RunLock:
    """The lock of one home for one run. ``acquire`` and ``release`` may be called again; neither waits."""

    def __init__(self, home: Home, run_id: str) -> None:
        self.home, self.run_id = home, run_id
        self._file: IO[str] | None = None

    @property
    def is_held(self) -> bool:
        """Whether this run holds the lock now."""
        return self._file is not None

    def acquire(self) -> None:
        """Take the lock. Raises RunInProgressError naming the run that has it, and FaultError for another's home."""
        if self.is_held:
            return
        self.home.ensure()
        enter(self.home)
        file = self.home.run_lock.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read()
            file.close()
            raise _in_progress(holder) from error
        file.truncate(0)
        since = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        file.write(json.dumps({"run_id": self.run_id, "pid": os.getpid(), "since": since}))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None

    @contextmanager
    def used(self) -> Iterator[None]:
        """Take the lock if this run has not yet, and let what is called within write the warehouse. Keeps the lock."""
        self.acquire()
        token = _USED.set(self)
        try:
            yield
        finally:
            _USED.reset(token)


@contextmanager
def writing(home: Home, purpose: str) -> Iterator[None]:
    """Be the only writer of a home: within the run that holds the lock, else by taking it for the time being.

    Raises RunInProgressError where another run holds it.
    """
    used = _USED.get()
    if used is not None and used.is_held and used.home == home:
        yield
        return
    lock = RunLock(home, purpose)
    with lock.used():
        try:
            yield
        finally:
            lock.release()


@dataclass(frozen=True)
class RunState:
    """What the lock says. A ``run_id`` where it is not held is that of a run that was killed."""

    is_held: bool
    run_id: str = ""
    pid: int | None = None
    since: dt.datetime | None = None


def run_state(home: Home) -> RunState:
    """Whether a run holds the lock of a home, and which did last."""
    try:
        text, inode = home.run_lock.read_text(encoding="utf-8"), home.run_lock.stat().st_ino
    except FileNotFoundError:
        return RunState(False)
    # Taken to try, it would be missing to a run that begins at this moment.
    with LOCKS.open(encoding="ascii") as lines:
        is_held = any(
            fields[1] == "FLOCK" and fields[3] == "WRITE" and fields[5].rpartition(":")[2] == str(inode)
            for fields in map(str.split, lines)
            if "->" not in fields
        )
    try:
        content = json.loads(text)
        since = content.get("since")
        return RunState(
            is_held, content["run_id"], content.get("pid"), dt.datetime.fromisoformat(since) if since else None
        )
    except (ValueError, KeyError, AttributeError):
        return RunState(is_held)


def _in_progress(holder: str) -> RunInProgressError:
    try:
        run_id = json.loads(holder)["run_id"]
    except (ValueError, KeyError):
        return RunInProgressError("another run is running on this home: wait until it has ended.")
    return RunInProgressError("{run_id} is running on this home: wait until it has ended.", run_id=run_id)
