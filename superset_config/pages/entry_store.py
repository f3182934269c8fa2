"""The entries of this process's home."""

from __future__ import annotations

from functools import cache

from kodomo.entries.store import EntryStore
from kodomo.home import Home


@cache
def _store_of(root: str) -> EntryStore:
    return EntryStore(Home.from_environment())


def store() -> EntryStore:
    """The entries of this home; its tables are migrated once per process."""
    return _store_of(str(Home.from_environment().root))
