"""Support measures that staff typed after a telephone call, in force before any delivery carries them."""

from __future__ import annotations

from kodomo import clock
from kodomo.entries.store import EntryStore


def protected_by_entries(store: EntryStore) -> set[str]:
    """Person ids under a typed support measure in force today, and of the children that it was typed for."""
    today = clock.today().isoformat()
    protected: set[str] = set()
    for version in store.current("support_measure"):
        content = version.content
        if content["measure_from"] <= today <= content.get("measure_until", "9999-12-31"):
            protected |= {version.person_id or "", content.get("about_child_id", "")}
    return protected - {""}
