"""The reach of a user: the children in the file of the user's present scope, and no others."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from kodomo.access.access import PROTECTION, WITHHELD, Access, PublishedTable, read_access, row_conditions
from kodomo.access.scope import Scope
from kodomo.entries.protection import protected_by_entries
from kodomo.entries.store import EntryStore
from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.parameters import parameter
from kodomo.publication import scope_file
from kodomo.publication.places import everyone_withheld, may_be_handed, withheld_leavers, withheld_places
from kodomo.seeds import read_seed
from kodomo.warehouse import records
from superset_config.pages.entry_store import store
from superset_config.pages.words import PROTECTED_DOCUMENT_JA, PROTECTED_READER_JA
from superset_config.security.files import OPEN_FILES, user_roles

MOST_FOUND = 50
NUMBER_WIDTH = parameter("person_number_width")
PEOPLE_OF_ROWS = (
    "person_id",
    "from_person_id",
    "to_person_id",
    "relative_id",
    "fact_person_id",
    "step_person_id",
    "end_person_id",
)
"""Columns of bi_ tables that name a person."""
_HIRAGANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}


@cache
def _variants() -> dict[int, str]:
    return {ord(row["variant"]): row["folded"] for row in read_seed("kanji_variants") if len(row["variant"]) == 1}


def folded(text: str | None) -> str:
    """A name as it is searched: width, spaces, hiragana and variants of kanji make no difference."""
    plain = unicodedata.normalize("NFKC", text or "").translate(_HIRAGANA).translate(_variants())
    return "".join(plain.split()).upper()


@dataclass(frozen=True)
class Terms:
    """What is searched for; all that is given must match."""

    name: str = ""
    birth_on: dt.date | None = None
    number: str = ""
    date_or_number: tuple[dt.date, str] | None = None
    """Digits that are a date of birth as well as a number: either may match."""

    @property
    def used(self) -> list[str]:
        """The names of the fields that were filled in, for the log, which must not hold their values."""
        return [name for name in ("name", "birth_on", "number", "date_or_number") if getattr(self, name)]

    def fit(self, child: Mapping[str, Any]) -> bool:
        """Whether all that is given matches a child of ``Reach.children``."""
        name = folded(self.name)
        if name and name not in child["_name"] and name not in child["_kana"]:
            return False
        if self.birth_on and not _is_born(child, self.birth_on):
            return False
        if self.date_or_number:
            birth_on, digits = self.date_or_number
            if not (_is_born(child, birth_on) or _has_number(child, digits)):
                return False
        number = self.number.strip()
        return not number or _has_number(child, number)


def _is_born(child: Mapping[str, Any], on: dt.date) -> bool:
    return on in (child.get("birth_on"), child.get("expected_birth_on"))


def _has_number(child: Mapping[str, Any], number: str) -> bool:
    return child["person_id"] in (number, number.zfill(NUMBER_WIDTH))


class Reach:
    """The children of one scope, as the audience of this user sees them."""

    people_table = "bi_child"
    """The bi_ mart whose rows are the children."""

    def __init__(self, home: Home, scope: Scope, access: Access | None = None, store: EntryStore | None = None) -> None:
        self.home, self.scope, self.access, self.store = home, scope, access or read_access(), store
        self._children: dict[str, dict[str, Any]] | None = None

    def pages(self) -> list[str]:
        """Names of the pages that people of this scope may open."""
        return [page.name for page in self.access.entry_pages_of(self.scope)]

    @property
    def publication(self) -> str:
        """The name of the publication in service; empty before the first."""
        file = scope_file(self.home, self.scope)
        return file.resolve().parent.name if file else ""

    def table(self, source: str) -> PublishedTable | None:
        """The scope's own table of a bi_ mart, with real people in it; None where it has none."""
        for table in self.access.tables_for(self.scope):
            if table.source == source and not table.grant.pseudonyms:
                return table
        return None

    def has_columns(self, source: str, *columns: str) -> bool:
        """Whether the scope has a table of a bi_ mart with real people in it, and these columns of it."""
        table = self.table(source)
        return table is not None and not set(columns) & set(table.grant.without)

    def rows(
        self, source: str, where: str = "true", values: Iterable[Any] = (), columns: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Rows of the scope's table of a bi_ mart, of some ``columns`` the distinct ones; none where it has no table.

        Both walls: the scope's own file, and the conditions of its rows once more.
        """
        table = self.table(source)
        file = scope_file(self.home, self.scope)
        if table is None or file is None:
            return []
        conditions = " and ".join([f"({where})", *row_conditions(table, self.scope)])
        try:
            with OPEN_FILES.cursor(str(file)) as connection:
                asked = f"distinct {', '.join(columns)}" if columns else "*"
                query = f"select {asked} from {table.name} where {conditions}"  # noqa: S608  # access.yml's names, bound values
                return records(connection, query, list(values))
        except (duckdb.Error, OSError) as error:
            raise KodomoError("What is in service cannot be read.") from error

    def pseudonyms(self) -> set[str]:
        """The pseudonyms of the children whom the scope sees without their names; none where it has no such table."""
        tables = [table for table in self.access.tables_for(self.scope) if table.source == self.people_table]
        file = scope_file(self.home, self.scope)
        if file is None:
            return set()
        found: set[str] = set()
        for table in (table for table in tables if "person_id" in table.grant.pseudonyms):
            conditions = " and ".join(["true", *row_conditions(table, self.scope)])
            try:
                with OPEN_FILES.cursor(str(file)) as connection:
                    query = f"select distinct person_id from {table.name} where {conditions}"  # noqa: S608  # access.yml's names
                    found |= {row["person_id"] for row in records(connection, query)}
            except (duckdb.Error, OSError) as error:
                raise KodomoError("What is in service cannot be read.") from error
        return found

    def followed(self, source: str, where: str = "true", values: Iterable[Any] = ()) -> list[dict[str, Any]]:
        """Rows of a table about children of the scope and about those who left since (``is_child_now``).

        Measures reported by telephone are applied at once, as in ``children``.
        """
        children, hidden, kept = self.children(), set(), []
        for row in self.rows(source, where, values):
            person_id = row["person_id"]
            child = children.get(person_id)
            is_hidden = self.is_withheld(child) if child else person_id in self.withheld | self.withheld_leavers
            if child or (not row["is_child_now"] and (not is_hidden or self.scope.has_all_areas)):
                hidden |= {person_id} if is_hidden else set()
                kept.append(row)
        return self.access.without_places(kept, hidden)

    def rows_about(self, child: Mapping[str, Any], sources: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
        """Rows about a child of the scope by bi_ table, with measures reported by telephone applied at once.

        A row about a person who is protected since the publication, or lives with one, is one without its place; for a
        scope of some areas it is none, as after the next run.
        """
        tables = {source: self.rows(source, "person_id = ?", [child["person_id"]]) for source in sources}
        if not self._protected_by_entries:
            return tables
        named = {person_id for rows in tables.values() for row in rows for person_id in _people_of(row)}
        hidden = withheld_places(self.home, [child["person_id"], *named], self._protected_by_entries)
        if self.is_withheld(child):
            hidden = hidden | {child["person_id"]}
        # Who lives with whom can be read off a path: of a chain over one of them, nothing of the way is shown.
        ways = {
            (row["chain_type"], row["end_person_id"])
            for row in tables.get("bi_chain_step", ())
            if not hidden.isdisjoint(_people_of(row))
        }
        return {source: list(self._without_places(rows, hidden, ways)) for source, rows in tables.items()}

    def _without_places(
        self, rows: Iterable[dict[str, Any]], hidden: set[str], ways: set[tuple[str, str]]
    ) -> Iterable[dict[str, Any]]:
        for row in rows:
            if (row.get("chain_type"), row.get("end_person_id")) not in ways and hidden.isdisjoint(_people_of(row)):
                yield row
            elif self.scope.has_all_areas:
                without = {name: None for name in self.access.place_columns if name in row}
                yield {**row, **without, PROTECTION: WITHHELD}

    def children(self) -> dict[str, dict[str, Any]]:
        """Every child of the scope by id, as of when it was first asked: one reach is one request."""
        if self._children is None:
            self._children = self._read_children()
        return self._children

    def _read_children(self) -> dict[str, dict[str, Any]]:
        table, file = self.table(self.people_table), scope_file(self.home, self.scope)
        if table is None or file is None:
            return {}
        return self._protected_at_once(_children(self, file, tuple(row_conditions(table, self.scope))))

    @cached_property
    def _protected_by_entries(self) -> set[str]:
        return set() if self.scope.is_dv_authorised or self.store is None else protected_by_entries(self.store)

    @cached_property
    def withheld(self) -> set[str]:
        """Everyone whose place is hidden from this scope; empty for the authorised. One reach is one request."""
        return set() if self.scope.is_dv_authorised else everyone_withheld(self.home, self._protected_by_entries)

    @cached_property
    def withheld_leavers(self) -> set[str]:
        """Children who left whose place is hidden from this scope, by a measure on a relative too."""
        return set() if self.scope.is_dv_authorised else withheld_leavers(self.home, self._protected_by_entries)

    def _protected_at_once(self, children: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Apply measures reported by telephone as soon as they are entered, before the next run."""
        if not self._protected_by_entries:
            return children
        hidden = self._hidden(children)
        if not self.scope.has_all_areas:
            return {person_id: child for person_id, child in children.items() if person_id not in hidden}
        return {child["person_id"]: child for child in self.access.without_places(children.values(), hidden)}

    def _hidden(self, children: Collection[str]) -> set[str]:
        """Those of the children whose place is hidden, measures reported by telephone counted."""
        return withheld_places(self.home, children, self._protected_by_entries)

    def child(self, person_id: str | None) -> dict[str, Any] | None:
        """One child; None outside this scope."""
        return self.children().get(person_id or "")

    def relatives(self, person_id: str) -> dict[str, str]:
        """People around a child of the scope, id → label, as its family graph shows them; the child first."""
        child = self.child(person_id)
        if child is None:
            return {}
        labels = {person_id: f"本人（{child['child_label']}）"}
        for row in self.rows("bi_family_member", "person_id = ?", [person_id]):
            for end in ("from", "to"):
                other = row[f"{end}_person_id"]
                if other and other not in labels:
                    labels[other] = f"{row[f'{end}_role_label']} {row[f'{end}_label']}"
        return labels

    def search(self, terms: Terms) -> list[dict[str, Any]]:
        """Children whom the terms fit, at most MOST_FOUND + 1 of them; none where nothing was asked for."""
        if not terms.used:
            return []
        return list(islice((child for child in self.children().values() if terms.fit(child)), MOST_FOUND + 1))

    def hides_place(self, person: dict[str, Any]) -> bool:
        """Whether a person's place and household are hidden from this scope; the person need not be a child of it."""
        if self.scope.is_dv_authorised:
            return False
        # Pairs of earlier publications do not record protection: then no place is shown.
        return person.get("is_dv_protected", True) or person["person_id"] in self.withheld

    def readers(self, child: Mapping[str, Any]) -> dict[str, str]:
        """Whom a document about a child of the scope may be for, id → label: the child, and its parents."""
        person_id = child["person_id"]
        links = self.rows("bi_family_member", "to_person_id = ? and link_type = 'parent_of'", [person_id])
        parents = {row["from_person_id"]: f"{row['from_role_label']} {row['from_label']}" for row in links}
        return {person_id: f"本人（{child['child_label']}）", **dict(sorted(parents.items()))}

    def handing_obstacle(self, child: Mapping[str, Any], reader_id: str) -> str:
        """Why a document about a child may not be handed to a reader, in Japanese; empty where it may.

        What may reveal the place of a protected family is made by the authorised, and for its protected people only.
        """
        if self.hides_records_of(child, child["person_id"]):
            return PROTECTED_DOCUMENT_JA
        measured = protected_by_entries(self.store) if self.store is not None else set()
        if not may_be_handed(self.home, child["person_id"], reader_id, measured):
            return PROTECTED_READER_JA
        return ""

    def is_withheld(self, child: Mapping[str, Any]) -> bool:
        """Whether the place of a child is hidden from this scope."""
        return child.get(PROTECTION) == WITHHELD

    def hides_records_of(self, child: Mapping[str, Any], person_id: str) -> bool:
        """Whether the records of a person in a child's family may reveal a place that is hidden from this scope.

        That holds for the child itself, and for people linked to a protected person in its family graph: they may
        live together.
        """
        if self.scope.is_dv_authorised:
            return False
        if self.is_withheld(child) or withheld_places(self.home, [person_id], self._protected_by_entries):
            return True
        links = self.rows(
            "bi_family_member", "person_id = ? and ? in (from_person_id, to_person_id)", [child["person_id"], person_id]
        )
        return any(
            row[PROTECTION] == WITHHELD or not self.withheld.isdisjoint({row["from_person_id"], row["to_person_id"]})
            for row in links
        )


class LeaverReach(Reach):
    """The children of a scope who left the city: the rows of bi_leaver."""

    people_table = "bi_leaver"

    def _hidden(self, children: Collection[str]) -> set[str]:
        return super()._hidden(children) | self.withheld_leavers


def _people_of(row: Mapping[str, Any]) -> set[str]:
    return {row[name] for name in PEOPLE_OF_ROWS if row.get(name)}


@lru_cache(maxsize=64)
def _read_children(
    home: Home, scope: Scope, file: Path, changed: int, conditions: tuple[str, ...], people_table: str
) -> dict[str, dict[str, Any]]:
    children = {}
    for row in sorted(Reach(home, scope).rows(people_table), key=lambda row: (row.get("kana") or "", row["person_id"])):
        row["_name"], row["_kana"] = folded(row.get("display_name")), folded(row.get("kana"))
        row.setdefault("child_label", row.get("display_name") or row["person_id"])
        children[row["person_id"]] = row
    return children


def _children(reach: Reach, file: Path, conditions: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    # The real path is that of the publication: another one is read anew.
    real = file.resolve()
    return _read_children(reach.home, reach.scope, real, real.stat().st_mtime_ns, conditions, reach.people_table)


def reach_of_request(kind: type[Reach] = Reach) -> Reach:
    """The reach of the user of this request, by the user's present roles. ``kind``: who its children are."""
    from flask import current_app

    scope = Scope.from_roles(user_roles(current_app.appbuilder.sm))
    return kind(Home.from_environment(), scope, store=store())
