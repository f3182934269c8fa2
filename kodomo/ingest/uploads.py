"""Files that stewards send from a page: checked as a delivery would be, then handed over or thrown away.

An upload is a folder of the home, named by its id: the bytes, what is known of them, and what was delivered before. No
name of a file is part of a path. Only a file that may be handed over keeps its bytes, and for a day at most.
"""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PureWindowsPath
from typing import Any

from kodomo.clock import today
from kodomo.contract import load_contracts, load_heading_rules
from kodomo.errors import KodomoError
from kodomo.files import seal, sha256_of, sync_folder, write_atomically
from kodomo.home import PROJECT, Home
from kodomo.ingest.deliveries import OF_THE_MACHINE
from kodomo.ingest.files import may_be_kept
from kodomo.ingest.folder import date_in_name, shown_name
from kodomo.ingest.inspection import ENCODINGS_JA, NEW_BELOW, REASONS_JA, STATES_JA, inspect, recognised
from kodomo.ingest.records import detect_encoding
from kodomo.ingest.rehearsal import Earlier, head_of, rehearse
from kodomo.messages import JAPANESE, Sentence, in_language

MOST_BYTES = 500 * 1024 * 1024
"""Of the files of one request together."""
MOST_FILES = 20
"""Of one request."""
MOST_WAITING = 40
"""Uploads of one department that are neither handed over nor thrown away."""
KEPT_HOURS = 24
"""After which a file that was not handed over is gone."""
NOTED_DAYS = 40
"""How long it is known who handed over which file, beside the log."""
MOST_ATTEMPTS = 2
"""A check that broke off is begun so often: a file that ends the checking process stops no other file."""
LONGEST_NAME = 120
_CHUNK = 1024 * 1024
_CHECKING = ".checking"
"""The lock of the process that checks."""
_STATE, _DATA, _EARLIER = "upload.json", "data", "earlier.json"
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""What a file system says that has no hard links."""

WAITING, READY, REFUSED, HANDED_OVER = "waiting", "ready", "refused", "handed_over"


class UploadError(KodomoError):
    """An upload cannot be taken, or not be treated so."""


class TwiceError(UploadError):
    """The same form was sent before."""


class UnknownUploadError(UploadError):
    """There is no such upload, or not for these departments."""


@dataclass(frozen=True)
class Upload:
    """A file that a steward has sent. Times are in UTC."""

    upload_id: str
    departments: tuple[str, ...]
    """Of the steward; once the source is recognised, its holder."""
    by: str
    at: dt.datetime
    file_name: str
    """For people."""
    size: int
    sha256: str
    source_id: str | None = None
    """As chosen, or recognised."""
    delivered_on: dt.date | None = None
    """As chosen, or by the name."""
    mends: str | None = None
    """The delivery whose rejects it mends."""
    state: str = WAITING
    attempts: int = 0
    reason: str = ""
    """Why it is refused, in Japanese."""
    result: dict[str, Any] | None = None
    """What the check shows; no value of a person is in it."""
    landed_name: str = ""
    handed_by: str = ""
    handed_at: dt.datetime | None = None

    @property
    def holds_bytes(self) -> bool:
        """Whether the file is kept."""
        return self.state in {WAITING, READY}


class Uploads:
    """The uploads of a home."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.folder = home.uploads

    def incoming(self) -> Path:
        """The folder for bytes on their way, on the same disk; it is made."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = self.folder / ".incoming"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def receive(
        self,
        upload_id: str,
        file: Path,
        file_name: str,
        *,
        by: str,
        departments: Collection[str],
        earlier: Earlier,
        source_id: str | None = None,
        delivered_on: dt.date | None = None,
        mends: str | None = None,
    ) -> Upload:
        """Keep a file of ``incoming`` (a further name of it) to be checked. ``file_name``: as its sender calls it.

        Raises TwiceError for an id that was there before, and UploadError for an empty file and beyond the limits.
        """
        size = file.stat().st_size
        if not size:
            raise UploadError("{file_name}: the file is empty.", file_name=plain_name(file_name))
        if size > MOST_BYTES:
            raise UploadError("Files of more than {most} MB are not taken.", most=MOST_BYTES // 2**20)
        if sum(upload.holds_bytes for upload in self.of(departments)) >= MOST_WAITING:
            raise UploadError("Hand over or throw away what is waiting first: no more than {most} files wait.",
                              most=MOST_WAITING)  # fmt: skip
        name = str(uuid.UUID(upload_id))
        draft = self.folder / f".new-{name}-{uuid.uuid4().hex}"
        draft.mkdir(mode=0o700)
        upload = Upload(
            name, tuple(departments), by, _now(), plain_name(file_name), size, sha256_of(file), source_id, delivered_on,
            mends,
        )  # fmt: skip
        try:
            os.link(file, draft / _DATA)
            seal(draft / _DATA, 0o400)
            write_atomically(draft / _EARLIER, json.dumps(earlier.as_dict()))
            write_atomically(draft / _STATE, _as_json(upload))
            with self._changing():
                if (self.folder / name).exists():
                    raise TwiceError("This file was sent before.")
                draft.rename(self.folder / name)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        sync_folder(self.folder)
        return upload

    def of(self, departments: Collection[str]) -> list[Upload]:
        """The uploads of some departments, newest first."""
        mine = [upload for upload in self._all() if set(upload.departments) <= set(departments)]
        return sorted(mine, key=lambda upload: (upload.at, upload.file_name), reverse=True)

    def get(self, upload_id: str, departments: Collection[str]) -> Upload:
        """One upload. Raises UnknownUploadError, also for that of another department."""
        try:
            upload = self._read(str(uuid.UUID(upload_id)))
        except (ValueError, OSError) as error:
            raise UnknownUploadError("There is no such file.") from error
        if not set(upload.departments) <= set(departments):
            raise UnknownUploadError("There is no such file.")
        return upload

    def check_again(
        self, upload_id: str, departments: Collection[str], source_id: str | None, delivered_on: dt.date | None
    ) -> Upload:
        """Let a file be checked for another source or date."""
        with self._changing():
            upload = self.get(upload_id, departments)
            if upload.state != READY:
                raise UploadError("This file is not kept any more.")
            upload = replace(
                upload, state=WAITING, attempts=0, source_id=source_id, delivered_on=delivered_on, result=None
            )
            self._write(upload)
            return upload

    def throw_away(self, upload_id: str, departments: Collection[str]) -> Upload:
        """Delete a file, and what the check showed. One that was handed over is not taken back."""
        with self._changing():
            upload = self.get(upload_id, departments)
            if upload.state == HANDED_OVER:
                raise UploadError("This file was handed over already.")
            self._delete(upload.upload_id)
            return upload

    def hand_over(self, upload_id: str, departments: Collection[str], landing: Path, by: str) -> Upload:
        """Put a checked file into the landing folder, for the next run. Raises TwiceError if that was done before."""
        with self._changing():
            upload = self.get(upload_id, departments)
            if upload.state == HANDED_OVER:
                raise TwiceError("This file was handed over already.")
            if upload.state != READY or upload.source_id is None:
                raise UploadError("Only a file that was checked can be handed over.")
            if _is_handed_over(upload.sha256, upload.source_id, self._all()):
                raise UploadError("The same file was handed over before.")
            if landing == self.home.landing:
                landing.mkdir(mode=0o700, exist_ok=True)
            land(self._path(upload.upload_id, _DATA), landing, upload.source_id, upload.landed_name, upload.sha256)
            upload = replace(upload, state=HANDED_OVER, handed_by=by, handed_at=_now())
            self._write(upload)
            self._drop_bytes(upload.upload_id)
            return upload

    def forget_expired(self, now: dt.datetime | None = None) -> int:
        """Delete what was not handed over in time, and old notes of what was; returns how many."""
        now = now or _now()
        expired = 0
        if not self.folder.is_dir():
            return 0
        with self._changing():
            for upload in self._all():
                kept = dt.timedelta(days=NOTED_DAYS) if upload.state == HANDED_OVER else dt.timedelta(hours=KEPT_HOURS)
                if now - (upload.handed_at or upload.at) > kept:
                    self._delete(upload.upload_id)
                    expired += 1
            # What a broken connection or a killed process has left.
            for path in (*self.folder.glob(".new-*"), *self.folder.glob(".incoming/*")):
                with suppress(OSError):
                    if now.timestamp() - path.lstat().st_mtime > KEPT_HOURS * 3600:
                        shutil.rmtree(path) if path.is_dir() else path.unlink()
        return expired

    def check_waiting(self) -> int:
        """Check what waits, oldest first, one at a time on this machine; returns how many were checked."""
        if not self.folder.is_dir():
            return 0
        checked = 0
        with (self.folder / _CHECKING).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return 0
            while waiting := sorted(self.unchecked(), key=lambda upload: upload.at):
                self._check(waiting[0])
                checked += 1
        return checked

    def unchecked(self) -> list[Upload]:
        """The uploads that wait for their check."""
        return [upload for upload in self._all() if upload.state == WAITING]

    def start_checking(self) -> None:
        """Check what waits in a process of its own, unless one is at it: a large file takes memory and minutes."""
        self.incoming()
        with (self.folder / _CHECKING).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
        subprocess.Popen(
            [sys.executable, "-m", "kodomo.ingest.uploads"],
            cwd=PROJECT,
            env={**os.environ, "KODOMO_HOME": str(self.home.root)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            umask=0o077,
        )

    def _check(self, upload: Upload) -> None:
        if upload.attempts >= MOST_ATTEMPTS:
            self._end_check(upload, _refusal(Sentence("It could not be checked. Ask the operator of kodomo.")))
            return
        begun = replace(upload, attempts=upload.attempts + 1)
        self._end_check(upload, lambda _: begun)
        try:
            earlier = Earlier.from_dict(json.loads(self._path(upload.upload_id, _EARLIER).read_text("utf-8")))
            data = self._path(upload.upload_id, _DATA).read_bytes()
            change = examine(self.home, begun, data, earlier, self._all())
        except FileNotFoundError:
            # Thrown away meanwhile.
            return
        except OF_THE_MACHINE:
            return
        except Exception as error:
            change = _refusal(Sentence("It could not be read ({kind}).", kind=type(error).__name__))
        self._end_check(begun, change)

    def _end_check(self, upload: Upload, change: Callable[[Upload], Upload]) -> None:
        with self._changing():
            if not self._path(upload.upload_id, _STATE).exists():
                return
            checked = change(upload)
            if not checked.holds_bytes:
                self._drop_bytes(upload.upload_id)
            self._write(checked)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One change of an upload at a time."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _all(self) -> list[Upload]:
        if not self.folder.is_dir():
            return []
        found = []
        for entry in os.scandir(self.folder):
            if not entry.name.startswith("."):
                with suppress(OSError):
                    found.append(self._read(entry.name))
        return found

    def _path(self, upload_id: str, name: str) -> Path:
        return self.folder / upload_id / name

    def _read(self, upload_id: str) -> Upload:
        content = json.loads(self._path(upload_id, _STATE).read_text(encoding="utf-8"))
        day, handed = content["delivered_on"], content["handed_at"]
        return Upload(
            **{
                **content,
                "departments": tuple(content["departments"]),
                "at": dt.datetime.fromisoformat(content["at"]),
                "delivered_on": dt.date.fromisoformat(day) if day else None,
                "handed_at": dt.datetime.fromisoformat(handed) if handed else None,
            }
        )

    def _write(self, upload: Upload) -> None:
        write_atomically(self._path(upload.upload_id, _STATE), _as_json(upload))

    def _drop_bytes(self, upload_id: str) -> None:
        for name in (_DATA, _EARLIER):
            self._path(upload_id, name).unlink(missing_ok=True)

    def _delete(self, upload_id: str) -> None:
        # Without its name first: a folder that is deleted in part is none.
        gone = self.folder / f".gone-{uuid.uuid4().hex}"
        (self.folder / upload_id).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def plain_name(name: str) -> str:
    """The name of a file without folders, for people: whatever a browser or a program sends."""
    return shown_name(PureWindowsPath(name).name)[:LONGEST_NAME] or "（名前なし）"


def examine(
    home: Home, upload: Upload, data: bytes, earlier: Earlier, others: Collection[Upload] = ()
) -> Callable[[Upload], Upload]:
    """What the check of an upload makes of it: ready to be handed over, or refused with the reason in Japanese.

    ``others``: all uploads, of which some may wait in the landing folder. Raises what a reader raises that stumbles
    over the bytes.
    """
    contracts, head = load_contracts(), head_of(data)
    source_id = upload.source_id
    if b"\x00" in head and detect_encoding(head) != "utf-16":
        return _refusal(Sentence("It is no CSV but an archive, a spreadsheet or the like: export the extract as CSV."))
    try:
        nearest, likeness, _ = recognised(head, upload.file_name)
        if source_id is None and likeness >= NEW_BELOW:
            source_id = nearest.source_id
        if source_id is None or source_id not in contracts:
            if not may_be_kept(head, load_heading_rules()):
                return _refusal(Sentence("A heading is forbidden here. Nothing of the file was kept."))
            return _refusal(Sentence("The headings are of no source: choose the source, or look at the file."))
    except KodomoError:
        if not may_be_kept(head, load_heading_rules()):
            return _refusal(Sentence("A heading is forbidden here. Nothing of the file was kept."))
        return _refusal(Sentence("The file has no headings: send the extract as CSV, with its heading row."))
    contract = contracts[source_id]
    if contract.holder not in upload.departments:
        return _refusal(
            Sentence(
                "It is {source}, which {holder} delivers: you deliver the extracts of your own department.",
                source=contract.label,
                holder=contract.holder_ja,
            )
        )
    if _is_handed_over(upload.sha256, source_id, others):
        return _refusal(Sentence("The same file was handed over before."))
    known = [row["delivery_id"] for row in earlier.deliveries if row["source_id"] == source_id]
    if upload.mends and upload.mends not in known:
        return _refusal(Sentence("Its rows are not of the extract whose rejects they mend."))
    mends = upload.mends or next((one for one in known if one in upload.file_name), None)
    delivered_on = (mends and date_in_name(mends)) or upload.delivered_on or date_in_name(upload.file_name) or today()
    mark = upload.upload_id[:8]
    name = f"{mends}_mended_{mark}.csv" if mends else f"{source_id}_{delivered_on:%Y%m%d}_{mark}.csv"
    rehearsal = rehearse(home, data, contract, name, delivered_on, earlier)
    delivery = rehearsal.delivery
    if delivery.status not in {"loaded", "held"}:
        reason = (delivery.reason_ja or delivery.reason or "").removeprefix(f"{name}: ")
        return lambda now: replace(_refused(now, reason), source_id=source_id, departments=(contract.holder,))
    inspection = inspect(head, upload.file_name, source_id, judges_values=False)
    differences = rehearsal.differences
    result = {
        "source_label": contract.label,
        "layout": inspection.layout_title,
        "encoding": ENCODINGS_JA.get(inspection.encoding, inspection.encoding),
        "heading_line": inspection.heading_line,
        "headings": [
            {
                "heading": heading.heading,
                "state": STATES_JA[heading.state],
                "is_loaded": heading.state == "loaded",
                "examples": heading.examples,
            }
            for heading in inspection.headings
        ],
        "is_whole": len(head) == len(data),
        "status": delivery.status,
        "kind": delivery.kind,
        "reason": (delivery.reason_ja or "").replace(f"{name}: ", ""),
        "rows_read": delivery.rows_read,
        "rows_loaded": delivery.rows_loaded,
        "rows_rejected": delivery.rows_rejected,
        "misfits": [
            [misfit.column or "（行全体）", REASONS_JA.get(misfit.reason_code, misfit.reason_code), misfit.row_count]
            for misfit in rehearsal.misfits
        ],
        "rejects": [
            [line, heading or "（行全体）", REASONS_JA.get(reason, reason)]
            for line, heading, reason in rehearsal.rejects
        ],
        "mends": rehearsal.mends,
        "differences": asdict(differences) if differences else None,
    }
    return lambda now: replace(
        now, state=READY, source_id=source_id, departments=(contract.holder,), delivered_on=delivered_on, mends=mends,
        landed_name=name, result=result,
    )  # fmt: skip


def _is_handed_over(sha256: str, source_id: str, uploads: Iterable[Upload]) -> bool:
    """Whether the same bytes were handed over for a source."""
    return any(
        other.state == HANDED_OVER and other.sha256 == sha256 and other.source_id == source_id for other in uploads
    )


def land(source: Path, landing: Path, source_id: str, name: str, sha256: str) -> None:
    """Put a file into the folder of a source, whole or not at all, and never over another one.

    A run passes over the hidden draft, and leaves the file until it has not changed for the time that it is given.
    Raises UploadError where the folder is none, the bytes are not those expected, or another file has the name.
    """
    folder = landing / source_id
    try:
        folder.mkdir(exist_ok=True)
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise UploadError("The landing folder has no folder for {source_id}.", source_id=source_id)
        draft, target = folder / f".{name}.part", folder / name
        draft.unlink(missing_ok=True)
        try:
            digest = hashlib.sha256()
            with source.open("rb") as read, draft.open("xb") as written:
                while chunk := read.read(_CHUNK):
                    digest.update(chunk)
                    written.write(chunk)
            if digest.hexdigest() != sha256:
                raise UploadError("The file is not the one that was checked: send it again.")
            seal(draft, 0o600)
            _link(draft, target, sha256)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(folder)
    except OSError as error:
        cause = os.strerror(error.errno) if error.errno else type(error).__name__
        raise UploadError("The landing folder cannot be written ({cause}).", cause=cause) from error


def _link(draft: Path, target: Path, sha256: str) -> None:
    """Give a finished draft its name. A file of that name with the same bytes is the one: its note got lost."""
    try:
        os.link(draft, target, follow_symlinks=False)
    except FileExistsError:
        is_same = stat.S_ISREG(target.lstat().st_mode) and sha256_of(target) == sha256
        if not is_same:
            raise UploadError("Another file has that name already: nothing was replaced.") from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # The name is taken first, so that it is no other file's.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        os.replace(draft, target)


def _refusal(said: Sentence | KodomoError) -> Callable[[Upload], Upload]:
    text = in_language(said, JAPANESE) if isinstance(said, KodomoError) else said.in_language(JAPANESE)
    return lambda upload: _refused(upload, text)


def _refused(upload: Upload, reason: str) -> Upload:
    return replace(upload, state=REFUSED, reason=reason, result=None)


def _as_json(upload: Upload) -> str:
    return json.dumps(asdict(upload), ensure_ascii=False, default=lambda value: value.isoformat())


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


if __name__ == "__main__":
    os.nice(10)
    Uploads(Home.from_environment()).check_waiting()
