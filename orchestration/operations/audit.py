"""Both chains of the audit log: their ends kept on an occasion, and whether they are as they were written."""

from __future__ import annotations

from collections.abc import Iterable

from kodomo.audit_chain import Anchor, Head, Verdict, read_anchors, write_anchors
from kodomo.entries import store
from kodomo.entries.store import EntryStore
from kodomo.home import Home
from superset_config.audit import chain


def heads(home: Home) -> list[Head]:
    """The ends of the chains that the home has."""
    return [end for end in (store.head(home), chain.head(home)) if end is not None]


def anchor(home: Home, occasion: str) -> list[Head]:
    """Keep the ends of the chains in the home's list of anchors; returns them."""
    ends = heads(home)
    write_anchors(home, occasion, ends)
    return ends


def verify(home: Home, anchors: Iterable[Anchor] = ()) -> list[Verdict]:
    """Go through both chains. ``anchors``: ends that count beside the home's own list, as a backup has them."""
    every = [*read_anchors(home.audit_anchors), *anchors]
    return [EntryStore(home).verify(every), chain.verify(home, every)]
