"""Wall A as data, made from access.yml: roles with single permissions, and rules for rows. Needs no Superset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kodomo.access.access import (
    DEPARTMENTS,
    Access,
    PublishedTable,
    protection_condition,
)
from kodomo.access.scope import all_areas

PREFIX = "kodomo "
"""Begins the names of the rules that are made here; others are deleted."""
BASE, REGULAR = "Base", "Regular"
DENY = "1 = 0"

STAFF_PERMISSIONS = {
    ("can_read", "Dashboard"),
    ("can_read", "Chart"),
    ("can_read", "Dataset"),
    ("can_get_drill_info", "Dataset"),
    ("can_dashboard", "Superset"),
    ("can_log", "Superset"),
    ("can_language_pack", "Superset"),
    ("can_drill", "Dashboard"),
    ("can_view_chart_as_table", "Dashboard"),
    ("can_samples", "Datasource"),
    ("can_read", "DashboardFilterStateRestApi"),
    ("can_write", "DashboardFilterStateRestApi"),
    ("can_time_range", "Api"),
    ("can_read", "CurrentUserRestApi"),
    ("can_recent_activity", "Log"),
    ("can_get", "MenuApi"),
    ("can_read", "SecurityRestApi"),
    ("can_read", "AvailableDomains"),
    ("menu_access", "Dashboards"),
    ("menu_access", "Home"),
    ("can_userinfo", "UserDBModelView"),
    ("resetmypassword", "UserDBModelView"),
    ("can_this_form_get", "ResetMyPasswordView"),
    ("can_this_form_post", "ResetMyPasswordView"),
}
ADMIN_PERMISSIONS = {
    ("menu_access", "Security"),
    ("menu_access", "List Users"),
    ("can_get", "User"),
    ("can_info", "User"),
    ("can_list", "UserDBModelView"),
    ("can_show", "UserDBModelView"),
    ("can_use", "SecondFactors"),
    ("menu_access", "二要素認証"),
}
EXPORT_PERMISSIONS = {("can_csv", "Superset")}
EXPLORE_PERMISSIONS = {
    ("can_read", "Explore"),
    ("can_read", "ExploreFormDataRestApi"),
    ("can_write", "ExploreFormDataRestApi"),
    ("can_write", "Chart"),
    ("can_write", "Dashboard"),
    ("menu_access", "Charts"),
}
"""To make charts and dashboards; `superset_config/security/own_charts.py` keeps them to their author."""
ENTRY_MENU = "業務"
"""The part of the menu that holds the pages for data entry and decisions."""
# Before log-in: the texts of the log-in page, in Japanese.
PUBLIC_PERMISSIONS = {("can_language_pack", "Superset")}


@dataclass(frozen=True)
class Role:
    """A role: single permissions, and the tables it may query."""

    name: str
    permissions: frozenset[tuple[str, str]] = frozenset()
    tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """A rule for rows. Regular: for those with one of the roles. Base: for all but those with one of the roles.

    Rules of one group are joined by OR, groups by AND.
    """

    name: str
    kind: str
    group: str
    clause: str
    roles: tuple[str, ...]
    tables: tuple[str, ...]


def roles(access: Access) -> list[Role]:
    """Every role, sorted by name. Roles of dimensions hold no permission: what they give is rows."""
    wanted = [Role("staff", frozenset(STAFF_PERMISSIONS)), Role("admin", frozenset(ADMIN_PERMISSIONS))]
    wanted += [Role("Public", frozenset(PUBLIC_PERMISSIONS)), Role("dv_authorised")]
    wanted += [Role(name) for name in _names("area_", [*all_areas(), "all"])]
    wanted += [Role(name) for name in _names("dept_", access.departments_ja)]
    wanted += [Role(name) for name in _names("duty_", (duty for duty in access.duties_ja if duty != "admin"))]
    for audience in access.audiences.values():
        permissions = (EXPORT_PERMISSIONS if audience.may_export else set()) | (
            EXPLORE_PERMISSIONS if audience.may_explore else set()
        )
        tables = tuple(table.name for table in access.tables_of(audience.name))
        wanted.append(Role(audience.role, frozenset(permissions), tables))
    for page in access.entry_pages.values():
        permissions = {("can_use", f"Entry {page.name}"), ("menu_access", page.label_ja), ("menu_access", ENTRY_MENU)}
        wanted.append(Role(page.role, frozenset(permissions)))
    return sorted(wanted, key=lambda role: role.name)


def rules(access: Access) -> list[Rule]:
    """Every rule for rows: under each dimension one that denies, and beside it those that give."""
    every = access.published_tables()
    tables = [table for table in every if not table.is_live and not table.is_for_pages]
    live = [rule for table in every if table.is_live for rule in _live_rules(table, access)]
    return [
        *live,
        *_area_rules(tables),
        *_department_rules(tables, access),
        *_duty_rules(tables),
        *_protection_rules(tables),
    ]


def _live_rules(table: PublishedTable, access: Access) -> list[Rule]:
    """Rules of a live table, which no scope holds: under every dimension its audiences only."""
    roles = tuple(access.audiences[name].role for name in table.audiences)
    return [
        Rule(f"{PREFIX}{dimension}: deny {table.name}", BASE, dimension, DENY, roles, (table.name,))
        for dimension in ("area", "department", "duty")
    ]


def _area_rules(tables: list[PublishedTable]) -> list[Rule]:
    with_area = _named(table for table in tables if "area" in table.rows)
    area_roles = _names("area_", all_areas())
    wanted = [Rule(f"{PREFIX}area: deny", BASE, "area", DENY, area_roles, _named(tables))]
    wanted += [
        Rule(f"{PREFIX}area: {area}", REGULAR, "area", f"area_code = '{area}'", (f"area_{area}",), with_area)
        for area in all_areas()
    ]
    # Rows without an area (unknown, or withheld) are for those who are limited to none.
    wanted.append(Rule(f"{PREFIX}area: all", REGULAR, "area", "1 = 1", ("area_all",), with_area))
    return wanted


def _department_rules(tables: list[PublishedTable], access: Access) -> list[Rule]:
    secured = _named(table for table in tables if table.has_department_rows)
    names = _names("dept_", access.departments_ja)
    wanted = [Rule(f"{PREFIX}department: deny", BASE, "department", DENY, names, _named(tables))]
    # Each department's rule stands on every table: on another audience's table it finds nothing.
    wanted += [
        Rule(
            f"{PREFIX}department: {department}",
            REGULAR,
            "department",
            f"{DEPARTMENTS} = '|{department}|'",
            (f"dept_{department}",),
            secured,
        )
        for department in access.departments_ja
    ]
    return wanted


def _duty_rules(tables: list[PublishedTable]) -> list[Rule]:
    by_duties: dict[tuple[str, ...], list[PublishedTable]] = {}
    for table in tables:
        by_duties.setdefault(table.duties, []).append(table)
    return [
        Rule(
            f"{PREFIX}duty: deny but {', '.join(duties)}",
            BASE,
            "duty",
            DENY,
            _names("duty_", duties),
            _named(members),
        )
        for duties, members in sorted(by_duties.items())
    ]


def _protection_rules(tables: list[PublishedTable]) -> list[Rule]:
    secured = _named(table for table in tables if table.has_protection)
    return [
        Rule(
            f"{PREFIX}protection: place withheld",
            BASE,
            "protection",
            protection_condition(False),
            ("dv_authorised",),
            secured,
        ),
        Rule(
            f"{PREFIX}protection: authorised",
            REGULAR,
            "protection",
            protection_condition(True),
            ("dv_authorised",),
            secured,
        ),
    ]


def _named(tables: Iterable[PublishedTable]) -> tuple[str, ...]:
    return tuple(table.name for table in tables)


def _names(prefix: str, codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{prefix}{code}" for code in codes)
