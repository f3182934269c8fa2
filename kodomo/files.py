"""Atomic writes: a file exists whole or not at all, with concurrent readers and after a power failure; its hash."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(target: Path, *, mode: int = 0o600) -> Iterator[Path]:
    """The path of an empty draft beside ``target`` that takes its place at the end, on the disk; its folder is made.

    ``mode`` is that of the finished file. After an exception the draft is gone and the target is as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    os.close(descriptor)
    draft = Path(name)
    try:
        yield draft
        draft.chmod(mode)
        _sync(draft)
        os.replace(draft, target)
        sync_folder(target.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_atomically(target: Path, content: bytes | str, *, mode: int = 0o600) -> Path:
    """Write a file (text as UTF-8) by way of ``atomic_path``; returns its path."""
    with atomic_path(target, mode=mode) as draft:
        draft.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return target


def seal(file: Path, mode: int) -> None:
    """Give a finished file its mode, and wait until it is on the disk."""
    file.chmod(mode)
    _sync(file)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal digits, read piece by piece. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
