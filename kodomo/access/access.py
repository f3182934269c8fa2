"""access.yml, read and checked: which tables are published for whom, and which of their rows a scope holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from kodomo.access.scope import Scope, all_areas
from kodomo.errors import KodomoError
from kodomo.parameters import parameter

ACCESS_FILE = Path(__file__).with_name("access.yml")
ROW_DIMENSIONS = {"area", "department", "holder", "protection"}
PROTECTION = "protection"
"""Column that publishing adds: ``none``, ``full`` (protected, with the place), ``withheld`` (protected, without)."""
WITHHELD = "withheld"
DEPARTMENTS = "departments"
"""Column of a published table: the one department that the row is for, as ``|child|``."""


@dataclass(frozen=True)
class Grant:
    """What an audience sees of a table."""

    without: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    pseudonyms: tuple[str, ...] = ()
    is_rounded: bool = False
    """Whether counts are rounded (kodomo/publication/rounding.py); the table is the audience's own then."""


@dataclass(frozen=True)
class Audience:
    """People of one of ``departments`` who have one of ``duties``."""

    name: str
    label_ja: str
    suffix: str
    departments: tuple[str, ...]
    duties: tuple[str, ...]
    grants: Mapping[str, Grant]
    may_export: bool = False
    may_explore: bool = False

    @property
    def role(self) -> str:
        """Name of the role that holds the permissions of this audience."""
        return f"view_{self.name}"

    def includes(self, scope: Scope) -> bool:
        """Whether people of that scope are of this audience."""
        if scope.is_empty:
            return False
        return bool(set(self.departments) & set(scope.departments) and set(self.duties) & set(scope.duties))


@dataclass(frozen=True)
class EntryPage:
    """A page for data entry and decisions, for staff of one of ``departments`` who have one of ``duties``."""

    name: str
    label_ja: str
    departments: tuple[str, ...]
    duties: tuple[str, ...]
    needs: frozenset[str] = frozenset()
    address: str = ""
    """Where the page is, without a stroke at the end."""

    @property
    def role(self) -> str:
        """Name of the role that holds the permission of this page."""
        return f"entry_{self.name}"

    def may_include(self, audience: Audience) -> bool:
        """Whether people of that audience may open the page, if they meet what it ``needs``."""
        return bool(set(self.departments) & set(audience.departments) and set(self.duties) & set(audience.duties))

    def includes(self, scope: Scope) -> bool:
        """Whether people of that scope may open the page."""
        if scope.is_empty or ("dv" in self.needs and not scope.is_dv_authorised):
            return False
        if "all_areas" in self.needs and not scope.has_all_areas:
            return False
        return bool(set(self.departments) & set(scope.departments) and set(self.duties) & set(scope.duties))


@dataclass(frozen=True)
class PublishedTable:
    """A table of the published files: a bi_ table as its audiences have it."""

    name: str
    source: str
    rows: frozenset[str]
    grant: Grant
    departments: tuple[str, ...]
    duties: tuple[str, ...]
    audiences: tuple[str, ...] = field(default=())

    is_live: bool = False
    """Whether the table is queried live by users with the required duty, and never published."""
    is_for_pages: bool = False
    """Whether only the pages read the table: it has no dataset, and no question of Superset may name it."""

    @property
    def has_department_rows(self) -> bool:
        """Whether rows are for one department each."""
        return bool(self.rows & {"department", "holder"})

    @property
    def has_protection(self) -> bool:
        """Whether rows of protected people are there in two forms, with and without the place."""
        return "protection" in self.rows


@dataclass(frozen=True)
class Access:
    """All rules."""

    tables: Mapping[str, Mapping[str, Any]]
    audiences: Mapping[str, Audience]
    place_columns: tuple[str, ...]
    overseeing_department: str
    departments_ja: Mapping[str, str]
    duties_ja: Mapping[str, str]
    entry_pages: Mapping[str, EntryPage] = field(default_factory=dict)

    def entry_pages_of(self, scope: Scope) -> list[EntryPage]:
        """The pages that people of a scope may open, in the order of the file."""
        return [page for page in self.entry_pages.values() if page.includes(scope)]

    def published_tables(self) -> list[PublishedTable]:
        """Every table that a publication holds, sorted by name."""
        return list(self._published_tables)

    @cached_property
    def _published_tables(self) -> tuple[PublishedTable, ...]:
        tables_by_name: dict[str, PublishedTable] = {}
        for audience in self.audiences.values():
            for source, grant in audience.grants.items():
                rule = self.tables[source]
                shared = bool(rule.get("shared")) and not grant.is_rounded
                name = source if shared or not audience.suffix else f"{source}__{audience.suffix}"
                earlier = tables_by_name.get(name)
                if earlier and not shared:
                    raise KodomoError("access.yml: two audiences have one table {name}; give one a suffix.", name=name)
                tables_by_name[name] = PublishedTable(
                    name,
                    source,
                    frozenset(rule["rows"]),
                    grant,
                    tuple(sorted({*audience.departments, *(earlier.departments if earlier else ())})),
                    tuple(sorted({*audience.duties, *(earlier.duties if earlier else ())})),
                    tuple(sorted({audience.name, *(earlier.audiences if earlier else ())})),
                    bool(rule.get("live")),
                    bool(rule.get("pages")),
                )
        return tuple(tables_by_name[name] for name in sorted(tables_by_name))

    @property
    def tables_for_pages(self) -> frozenset[str]:
        """The bi_ tables that only the pages read."""
        return frozenset(name for name, rule in self.tables.items() if rule.get("pages"))

    def tables_of(self, audience: str) -> list[PublishedTable]:
        """The tables that one audience has in Superset."""
        return [table for table in self.published_tables() if audience in table.audiences and not table.is_for_pages]

    def audiences_of(self, scope: Scope) -> list[Audience]:
        """The audiences that people of a scope belong to."""
        return [audience for audience in self.audiences.values() if audience.includes(scope)]

    def without_places(self, people: Iterable[Mapping[str, Any]], withheld: Collection[str]) -> list[dict[str, Any]]:
        """Rows about people (``person_id``) with empty columns of places, and marked, where the place is withheld."""
        without = dict.fromkeys(self.place_columns)
        return [
            {**row, **{name: None for name in without if name in row}, PROTECTION: WITHHELD}
            if row["person_id"] in withheld
            else dict(row)
            for row in people
        ]

    def live_tables_for(self, roles: Iterable[str]) -> list[PublishedTable]:
        """The tables that are made at the moment of the question for people of some roles."""
        names = {audience.name for audience in self.audiences.values() if audience.role in set(roles)}
        return [table for table in self.published_tables() if table.is_live and names & set(table.audiences)]

    def tables_for(self, scope: Scope) -> list[PublishedTable]:
        """The tables that a scope's file holds."""
        names = {audience.name for audience in self.audiences_of(scope)}
        return [table for table in self.published_tables() if not table.is_live and names & set(table.audiences)]


def row_conditions(table: PublishedTable, scope: Scope) -> list[str]:
    """The SQL conditions (all must hold) under which a row of a published table is in the scope's file."""
    conditions = []
    if "area" in table.rows and not scope.has_all_areas:
        conditions.append(f"area_code in ({_quoted(scope.areas)})")
    if table.has_department_rows:
        entitled = [department for department in scope.departments if department in table.departments]
        conditions.append(f"{DEPARTMENTS} in ({_quoted(f'|{department}|' for department in entitled)})")
    if table.has_protection:
        conditions.append(protection_condition(scope.is_dv_authorised))
    return conditions


def protection_condition(is_dv_authorised: bool) -> str:
    """The form in which a scope sees the rows of protected people."""
    return f"{PROTECTION} <> 'withheld'" if is_dv_authorised else f"{PROTECTION} <> 'full'"


def _quoted(values: Iterable[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


@cache
def read_access(path: Path = ACCESS_FILE) -> Access:
    """Read access.yml, once in a process. Raises KodomoError for a rule that names something unknown."""
    content = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    departments, duties = parameter("departments"), content["duties_ja"]
    audiences = {}
    for name, entry in content["audiences"].items():
        grants = {
            table: Grant(
                *(tuple((grant or {}).get(key, ())) for key in ("without", "holders", "pseudonyms")),
                is_rounded=bool((grant or {}).get("rounded")),
            )
            for table, grant in entry["tables"].items()
        }
        audiences[name] = Audience(
            name,
            entry["label_ja"],
            entry.get("suffix", name),
            tuple(entry["departments"]),
            tuple(entry["duties"]),
            grants,
            may_export=bool(entry.get("may_export")),
            may_explore=bool(entry.get("may_explore")),
        )
        _known(f"audience {name}: department", entry["departments"], departments)
        _known(f"audience {name}: duty", entry["duties"], duties)
        _known(f"audience {name}: table", entry["tables"], content["tables"])
        for grant in grants.values():
            _known(f"audience {name}: holder", grant.holders, departments)
    for name, rule in content["tables"].items():
        _known(f"table {name}: rows", rule["rows"], ROW_DIMENSIONS)
        if rule.get("shared") and rule["rows"]:
            raise KodomoError("access.yml: table {name} is shared and yet has rules for its rows.", name=name)
    pages = {}
    for name, entry in content.get("entry", {}).items():
        needs = frozenset(entry.get("needs", ()))
        address = entry.get("address", f"/entry/{name}")
        pages[name] = EntryPage(
            name, entry["label_ja"], tuple(entry["departments"]), tuple(entry["duties"]), needs, address
        )
        _known(f"entry {name}: department", entry["departments"], departments)
        _known(f"entry {name}: duty", entry["duties"], duties)
        _known(f"entry {name}: needs", needs, {"dv", "all_areas"})
    return Access(
        content["tables"],
        audiences,
        tuple(content["place_columns"]),
        content["overseeing_department"],
        departments,
        duties,
        pages,
    )


def _known(place: str, names: Iterable[str], known: Iterable[str]) -> None:
    if unknown := sorted(set(names) - set(known)):
        raise KodomoError("access.yml: {place} is unknown: {names}", place=place, names=", ".join(unknown))


def export_scope(access: Access) -> Scope:
    """The scope of `kodomo export --published`: every area and duty of the overseeing department, DV included."""
    return Scope.of(
        [access.overseeing_department], all_areas(), [duty for duty in access.duties_ja if duty != "admin"], True
    )
