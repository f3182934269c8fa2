"""Reads the landing folder: its files, the dates in their names, and whether they are completely written.

Nothing in it is followed out of it: a link, a pipe or a device is a fault of its own, and no other file waits for it.
"""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kodomo.clock import day_in_japan, today
from kodomo.errors import KodomoError
from kodomo.messages import Sentence

YEARS = range(1989, 2100)
"""A number that begins with eight digits is a date only in these: names hold numbers of municipalities too."""
PARTIAL = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", ".swp")
"""Endings that programs give a file while they copy it."""
LOOK_SECONDS = 0.2
"""How long to wait between two looks at a file that is being written."""
_DIGITS = re.compile(r"[0-9]+")
_SEPARATED = re.compile(r"(?<![0-9])([0-9]{4})([-_.])([0-9]{2})\2([0-9]{2})(?![0-9])")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_NO_CHARACTER = re.compile(r"[\x80\uf8f0-\uf8f3]")
"""The characters to which the codec decodes single bytes that CP932 does not define."""


class UnreadableError(KodomoError):
    """A file that cannot be read as it lies there; the message says why and what to do."""


class UnsettledError(KodomoError):
    """A file that changed or went away while it was read: it is left for the next run."""


@dataclass(frozen=True)
class LandedFile:
    """A name in the folder of a source, and what it is."""

    source_id: str
    path: Path
    delivered_on: dt.date
    fault: Sentence | None = None
    """Why it can be no delivery, whatever it holds."""

    @property
    def name(self) -> str:
        """The file's name for people."""
        return shown_name(self.path.name)


@dataclass(frozen=True)
class LeftFile:
    """A file that this run has not taken, and why; the next one looks at it again."""

    source_id: str
    file_name: str
    reason: Sentence


@dataclass(frozen=True)
class Settling:
    """When a file counts as written: unchanged for ``seconds``. ``patience``: how many seconds a run waits for it."""

    seconds: float = 0
    patience: float = 0

    @classmethod
    def from_environment(cls, seconds: float, patience: float) -> Settling:
        """``KODOMO_SETTLE_SECONDS``, else the seconds given."""
        text = os.environ.get("KODOMO_SETTLE_SECONDS", "")
        try:
            return cls(float(text) if text else seconds, patience)
        except ValueError as error:
            raise KodomoError("KODOMO_SETTLE_SECONDS takes a number of seconds, such as 30.") from error


def shown_name(name: str) -> str:
    """A file's name as text, whatever bytes it has: CP932 where it is no UTF-8, line breaks and the like as escapes."""
    data = os.fsencode(name)
    for encoding in ("utf-8", "cp932"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _NO_CHARACTER.search(text):
            break
    else:
        text = data.decode("utf-8", errors="backslashreplace")
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def landed_files(landing: Path) -> list[LandedFile]:
    """Every name in the folders of the landing folder, in the order of source and name, except hidden ones.

    Raises UnreadableError where the landing folder itself cannot be read.
    """
    try:
        folders = sorted((entry for entry in os.scandir(landing) if not entry.name.startswith(".")), key=_by_name)
    except OSError as error:
        raise UnreadableError("The landing folder cannot be read ({cause}).", cause=_cause(error)) from error
    files: list[LandedFile] = []
    for folder in folders:
        source_id = shown_name(folder.name)
        if folder.is_symlink():
            files.append(
                _faulty(source_id, Path(folder.path), Sentence("is a link: put the files themselves into a folder."))
            )
            continue
        if not folder.is_dir(follow_symlinks=False):
            continue
        try:
            entries = sorted(os.scandir(folder.path), key=_by_name)
        except OSError as error:
            fault = Sentence(
                "cannot be read ({cause}): give the account of kodomo the right to read it.", cause=_cause(error)
            )
            files.append(_faulty(source_id, Path(folder.path), fault))
            continue
        for entry in entries:
            if not entry.name.startswith(".") and (file := _landed(source_id, Path(entry.path))) is not None:
                files.append(file)
    return files


def _by_name(entry: os.DirEntry[str]) -> bytes:
    return os.fsencode(entry.name)


def _faulty(source_id: str, path: Path, fault: Sentence) -> LandedFile:
    try:
        delivered_on = delivery_date(path)
    except OSError:
        delivered_on = today()
    return LandedFile(source_id, path, delivered_on, fault)


def _landed(source_id: str, path: Path) -> LandedFile | None:
    """None for a folder without the name of a delivery, and for a file that was removed meanwhile."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            return LandedFile(source_id, path, delivery_date(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        return _faulty(source_id, path, Sentence("cannot be read ({cause}).", cause=_cause(error)))
    if stat.S_ISDIR(mode):
        if not path.suffix:
            return None
        return _faulty(
            source_id, path, Sentence("is a folder: put the files themselves into the folder of the source.")
        )
    if stat.S_ISLNK(mode):
        return _faulty(source_id, path, Sentence("is a link: put the file itself there."))
    return _faulty(source_id, path, Sentence("is no file but a pipe, a socket or a device: put the file itself there."))


def delivery_date(path: Path) -> dt.date:
    """The first eight digits of the name that are a date (a time may follow), else the day of its last change in Japan,
    today at the latest: the clock of the machine that wrote it may be ahead.

    Raises OSError where there is neither.
    """
    return date_in_name(path.name) or min(day_in_japan(path.lstat().st_mtime), today())


def date_in_name(name: str) -> dt.date | None:
    """The date in a file's name: a number that begins with one, one with dashes, one within a longer number."""
    numbers = [match[0] for match in _DIGITS.finditer(name)]
    within = (number[at : at + 8] for number in numbers for at in range(1, len(number) - 7))
    separated = (match[1] + match[3] + match[4] for match in _SEPARATED.finditer(name))
    for digits in (*(number[:8] for number in numbers if len(number) >= 8), *separated, *within):
        try:
            day = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        except ValueError:
            continue
        if day.year in YEARS:
            return day
    return None


def read_file(path: Path) -> bytes:
    """The bytes of a regular file, as they are at one moment.

    Raises UnreadableError for what is no file of this folder or may not be read, and UnsettledError for a file that
    changes or goes away meanwhile.
    """
    try:
        # Without following links, or blocking on a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise UnsettledError("The file went away while it was being taken.") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnreadableError("It is a link: put the file itself there.") from error
        raise UnreadableError("It cannot be read ({cause}).", cause=_cause(error)) from error
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise UnreadableError("It is no file.")
        try:
            data = file.read()
        except OSError as error:
            raise UnreadableError("It cannot be read ({cause}).", cause=_cause(error)) from error
        after = os.fstat(descriptor)
    if _state(before) != _state(after) or len(data) != after.st_size:
        raise UnsettledError("The file changed while it was being read.")
    return data


def _cause(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else type(error).__name__


def unread_hash(file: LandedFile) -> str:
    """Stands for the bytes of what cannot be read: the same fault of the same name is one delivery."""
    return hashlib.sha256(os.fsencode(file.path.name) + str(file.fault or "").encode()).hexdigest()


def is_partial(name: str) -> bool:
    """Whether the name is that of an unfinished copy."""
    return name.lower().endswith(PARTIAL) or name.startswith("~$")


def is_settled(status: os.stat_result, seconds: float, now: float) -> bool:
    """Whether a file has not changed for so many seconds; a clock that was set back does not keep it forever."""
    return abs(now - status.st_ctime) >= seconds


def _state(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@dataclass
class _Watched:
    """The state of a file that is being written, and since when it has been so (monotonic)."""

    state: tuple[int, ...] = ()
    since: float = field(default=0.0)


def unsettled(
    files: Sequence[LandedFile], settling: Settling, sleep: Callable[[float], None] = time.sleep
) -> dict[Path, Sentence]:
    """Which of the files may still be written, and why, after waiting for them as long as ``settling`` says."""
    reasons = {
        file.path: Sentence("A program is still copying it, as its name says.")
        for file in files
        if is_partial(file.name)
    }
    until = time.monotonic() + settling.patience
    watched: dict[Path, _Watched] = {}
    while True:
        waiting = False
        for file in files:
            if file.fault is not None or is_partial(file.name):
                continue
            reasons.pop(file.path, None)
            try:
                status = file.path.lstat()
            except OSError:
                continue
            seen, moment = watched.setdefault(file.path, _Watched()), time.monotonic()
            if seen.state != _state(status):
                seen.state, seen.since = _state(status), moment
            is_quiet = moment - seen.since >= settling.seconds
            if not is_quiet and not is_settled(status, settling.seconds, time.time()):
                reasons[file.path] = Sentence(
                    "It changed less than {seconds:g} seconds ago: it may still be written.", seconds=settling.seconds
                )
                waiting = True
        if not waiting or time.monotonic() >= until:
            return reasons
        sleep(min(LOOK_SECONDS, settling.seconds))
