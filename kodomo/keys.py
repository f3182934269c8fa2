"""Keys that are made once: whole or not there at all, and never made anew over one that is broken."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import tempfile
from pathlib import Path

from kodomo.errors import KodomoError
from kodomo.files import sync_folder

BYTES = 48
FEWEST_CHARACTERS = 32
_KEY = re.compile(r"[\x21-\x7e]+")


class BrokenKeyError(KodomoError):
    """A key file that holds no key."""


def read_or_make_key(path: Path) -> str:
    """The key in a file that only its owner reads; made at its first use, by one of those who ask at a time.

    Raises BrokenKeyError for a file that is empty, cut or no text: what was made with the key could not be read with
    another, so it is not made anew.
    """
    try:
        return read_key(path)
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a renaming, fails where another process was first.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)
    sync_folder(path.parent)
    return read_key(path)


def read_key(path: Path) -> str:
    """The key in a file. Raises FileNotFoundError, and BrokenKeyError for a file that holds none."""
    try:
        text = path.read_bytes().decode("ascii").strip()
    except UnicodeDecodeError:
        text = ""
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BrokenKeyError(
            "The key {name} in {parent} cannot be read: mend its owner and mode.", name=path.name, parent=path.parent
        ) from error
    if len(text) < FEWEST_CHARACTERS or not _KEY.fullmatch(text):
        raise BrokenKeyError(
            "The key {name} in {parent} is empty or damaged: restore it from the backup (`kodomo restore`). "
            "It is not made anew, because what was made with it would be lost; to accept that, delete the file.",
            name=path.name,
            parent=path.parent,
        )
    return text
