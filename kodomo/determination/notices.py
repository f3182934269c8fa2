"""Notices as they stand by what is in service and what staff entered since."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy.exc import IntegrityError

from kodomo.determination.disputed import read_disputes
from kodomo.determination.service import Connection, reading
from kodomo.entries.notices import entered_since, events, judged, keep, mark_now
from kodomo.entries.store import EntryStore
from kodomo.home import Home
from kodomo.publication import current
from kodomo.warehouse import records

_MARTS = "warehouse.marts"


class Everybody:
    """The children in service, or some of them by id, with all columns: whom a notice is made about, not for whom."""

    def __init__(
        self, connection: Connection, columns: Mapping[str, Collection[str]], person_ids: Collection[str] | None = None
    ) -> None:
        self._connection, self._columns = connection, columns
        self._person_ids = None if person_ids is None else sorted(person_ids)

    @cached_property
    def _by_id(self) -> dict[str, Mapping[str, Any]]:
        return {row["person_id"]: row for row in self.rows("bi_child")}

    def children(self) -> Mapping[str, Mapping[str, Any]]:
        """By id."""
        return self._by_id

    def has_columns(self, source: str, *columns: str) -> bool:
        """Whether the publication has a mart and its columns: one of an earlier version may not."""
        known = self._columns.get(f"marts.{source}")
        return known is not None and set(columns) <= set(known)

    def rows(
        self, source: str, where: str = "true", values: Iterable[Any] = (), columns: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Rows of a mart about these children; none where the publication does not have it."""
        if not self.has_columns(source):
            return []
        given = list(values)
        if self._person_ids is not None:
            where, given = f"({where}) and list_contains(?, person_id)", [*given, self._person_ids]
        asked = f"distinct {', '.join(columns)}" if columns else "*"
        return records(self._connection, f"select {asked} from {_MARTS}.{source} where {where}", given)


def bring_up_to_date(home: Home, store: EntryStore, today: dt.date) -> bool:
    """Judge notices again where the publication, the day or the entries are others than the last time.

    Of an entry only whom it is about is judged. Returns whether anything was judged; before the first publication
    there is nothing to judge. Raises KodomoError where what is in service cannot be read.
    """
    folder = current(home)
    if folder is None:
        return False
    last, mark = judged(store), mark_now(store, folder.name, today)
    if last == mark:
        return False
    person_ids = None
    if last is not None and (last.publication, last.judged_on) == (mark.publication, mark.judged_on):
        person_ids = entered_since(store, last.entries_until)
    with reading(home) as (connection, reader):
        people = Everybody(connection, reader.columns, person_ids)
        asked = [None] if person_ids is None else sorted(person_ids)
        disputes = [dispute for person_id in asked for dispute in read_disputes(home, store, person_id=person_id)]
        noticed = events(people, disputes, store, today)
    # Another process has just written the same.
    with contextlib.suppress(IntegrityError):
        keep(store, noticed, today, mark, person_ids)
    return True
