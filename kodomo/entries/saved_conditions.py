"""Conditions that a department has saved under a name, each a watch: who is on its list, and since when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from kodomo.entries.conditions import Conditions
from kodomo.entries.store import EntryStore, Version

FORM = "saved_condition"
LONGEST_NAME = 60
MOST_WATCHED = 5_000
"""Longer lists are counted, but not compared with their earlier state."""


@dataclass(frozen=True)
class Watch:
    """A saved condition in one scope. ``since``: when the list was last seen in an earlier publication, in UTC."""

    version: Version
    chosen: Mapping[str, str]
    person_ids: frozenset[str]
    is_judged: bool
    """Whether the scope can judge every condition; otherwise no child is on the list."""
    since: dt.datetime | None = None
    joined: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Its name."""
        return self.version.content["name"]


def as_text(chosen: Mapping[str, str]) -> str:
    """Conditions as they are saved: name and code of each."""
    return urlencode({name: code for name, code in chosen.items() if code})


def saved(store: EntryStore, departments: Iterable[str]) -> list[Version]:
    """The saved conditions of departments, by name."""
    mine = set(departments)
    versions = [version for version in store.current(FORM) if version.department in mine]
    return sorted(versions, key=lambda version: (version.content["name"], version.record_id))


def watch(version: Version, conditions: Conditions, store: EntryStore, scope: str, publication: str) -> Watch:
    """A saved condition as it stands, beside its list of the last time; what is seen now is kept for the next time."""
    chosen = dict(parse_qsl(version.content["conditions"]))
    person_ids = frozenset(conditions.ids(chosen))
    is_judged = conditions.offers(chosen)
    if not is_judged or len(person_ids) > MOST_WATCHED:
        return Watch(version, chosen, person_ids, is_judged)
    before = store.seen_before(version.record_id, scope, publication)
    store.note_seen(version.record_id, scope, publication, person_ids)
    if before is None:
        return Watch(version, chosen, person_ids, is_judged)
    since, earlier = before
    return Watch(version, chosen, person_ids, is_judged, since, person_ids - earlier, frozenset(earlier - person_ids))
