"""The queue of prints: a browser that prints takes 300 MB, so that few work at once, and the others have a place.

A ticket is a file in the home, older tickets first. It is kept alive by asking again under the same key; one that is
not asked for is given up.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kodomo.errors import KodomoError
from kodomo.home import Home

AT_ONCE = 2
TICKET_SECONDS = 20
"""After which a ticket that was not asked for is given up."""
MOST_TICKETS = 50
"""How many may wait or print; no more are taken."""
_LOCK = ".lock"


class WaitingError(KodomoError):
    """It is not this print's turn yet; ``place`` is 1 for the next one."""

    def __init__(self, place: int) -> None:
        super().__init__("The print waits: {place} in the queue.", place=place)
        self.place = place


@contextmanager
def turn(home: Home, key: str) -> Iterator[None]:
    """Hold one of the places at the printer. Raises WaitingError where it is not the turn of ``key`` yet.

    ``key`` says whose print of what it is: under the same key a print keeps its place.
    """
    folder = home.printing
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = hashlib.sha256(key.encode()).hexdigest()[:16]
    with (folder / _LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = _tickets(folder)
        own = next((ticket for ticket in waiting if ticket.name.endswith(mark) and not _is_held(ticket)), None)
        if own is None:
            if len(waiting) >= MOST_TICKETS:
                raise WaitingError(len(waiting) - AT_ONCE + 1)
            own = folder / f"{time.time_ns():020d}-{mark}"
            own.touch(mode=0o600)
            waiting.append(own)
        os.utime(own)
        place = waiting.index(own) - AT_ONCE + 1
        if place > 0:
            raise WaitingError(place)
        ticket = own.open("a")
        fcntl.flock(ticket, fcntl.LOCK_EX)
    try:
        yield
    finally:
        own.unlink(missing_ok=True)
        ticket.close()


def _tickets(folder: Path) -> list[Path]:
    """Tickets in their order, without those given up: neither asked for lately nor being printed."""
    kept = []
    for ticket in sorted(path for path in folder.iterdir() if path.name != _LOCK):
        try:
            is_old = ticket.stat().st_mtime < time.time() - TICKET_SECONDS
        except FileNotFoundError:
            continue
        if is_old and not _is_held(ticket):
            ticket.unlink(missing_ok=True)
        else:
            kept.append(ticket)
    return kept


def _is_held(ticket: Path) -> bool:
    """Whether a process prints it; the lock goes with the process."""
    try:
        with ticket.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
