"""Sets of reference children that were chosen by hand, as rows of the entries with who and when."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from kodomo.entries.store import ConflictError, EntryStore, UnknownRecordError, case_set_children, case_sets, now
from kodomo.errors import UsageError

LONGEST_NAME = 60
MOST_CHILDREN = 500


@dataclass(frozen=True)
class CaseSet:
    """A set as its newest version has it. ``entered_at`` is in UTC; one without children has been given up."""

    set_id: str
    version: int
    name: str
    reason: str | None
    entered_by: str
    entered_at: dt.datetime
    person_ids: frozenset[str]


class CaseSetStore:
    """Reads and writes the sets. A change is one transaction that writes a version; the key is the lock."""

    def __init__(self, store: EntryStore) -> None:
        self.store = store

    def current(self) -> list[CaseSet]:
        """The sets that have children, by name."""
        newest = sa.select(case_sets.c.set_id, sa.func.max(case_sets.c.version).label("version"))
        latest = newest.group_by(case_sets.c.set_id).subquery()
        both = (case_sets.c.set_id == latest.c.set_id) & (case_sets.c.version == latest.c.version)
        chosen = (case_set_children.c.set_id == latest.c.set_id) & (case_set_children.c.version == latest.c.version)
        children: dict[str, set[str]] = {}
        with self.store.engine.connect() as connection:
            for row in connection.execute(case_set_children.select().join(latest, chosen)).mappings():
                children.setdefault(row["set_id"], set()).add(row["person_id"])
            rows = connection.execute(case_sets.select().join(latest, both)).mappings().all()
        sets = [CaseSet(**row, person_ids=frozenset(children.get(row["set_id"], ()))) for row in rows]
        return sorted((one for one in sets if one.person_ids), key=lambda one: (one.name, one.set_id))

    def with_person(self, person_id: str) -> list[CaseSet]:
        """The versions of sets in which a person is, oldest first; of the others in them nothing is said."""
        both = (case_sets.c.set_id == case_set_children.c.set_id) & (case_sets.c.version == case_set_children.c.version)
        query = case_sets.select().join(case_set_children, both).where(case_set_children.c.person_id == person_id)
        query = query.order_by(case_sets.c.entered_at, case_sets.c.set_id, case_sets.c.version)
        with self.store.engine.connect() as connection:
            return [CaseSet(**row, person_ids=frozenset({person_id})) for row in connection.execute(query).mappings()]

    def case_set(self, set_id: str) -> CaseSet:
        """A set by its id. Raises UnknownRecordError for none, and for one that has been given up."""
        for one in self.current():
            if one.set_id == set_id:
                return one
        raise UnknownRecordError("There is no such record.")

    def save(
        self, name: str, person_ids: Iterable[str], *, by: str, reason: str = "", set_id: str = "", seen: int = 0
    ) -> str:
        """Write a set, or a further version of one; its id. No children: the set is given up.

        ``seen``: the version that the user had before them, 0 for a new set. Raises UsageError without a name and for
        too many children, ConflictError where another change came first.
        """
        chosen = sorted(set(person_ids))
        if not name.strip():
            raise UsageError("Give the set a name.")
        if len(chosen) > MOST_CHILDREN:
            raise UsageError("A set holds at most {most} children.", most=MOST_CHILDREN)
        set_id = set_id or str(uuid.uuid4())
        values = {
            "set_id": set_id,
            "version": seen + 1,
            "name": name.strip()[:LONGEST_NAME],
            "reason": reason.strip() or None,
            "entered_by": by,
            "entered_at": now(),
        }
        with self.store.writing() as connection:
            newest = sa.select(sa.func.max(case_sets.c.version)).where(case_sets.c.set_id == set_id)
            if (connection.execute(newest).scalar() or 0) != seen:
                raise _conflict()
            try:
                connection.execute(case_sets.insert().values(**values))
            except IntegrityError as error:
                raise _conflict() from error
            if chosen:
                rows = [{"set_id": set_id, "version": seen + 1, "person_id": person_id} for person_id in chosen]
                connection.execute(case_set_children.insert(), rows)
        return set_id


def take_out(store: EntryStore, person_id: str) -> None:
    """Erase a person from every version of every set."""
    with store.writing() as connection:
        connection.execute(case_set_children.delete().where(case_set_children.c.person_id == person_id))


def _conflict() -> ConflictError:
    return ConflictError("Another user has changed this record meanwhile: read it again, then change it.")
