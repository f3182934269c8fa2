"""The staff list: who has which department, areas and duties."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kodomo.access.access import Access
from kodomo.access.scope import Scope, all_areas
from kodomo.errors import KodomoError

COLUMNS = ["username", "display_name", "department", "areas", "duties", "is_dv_authorised"]
TERM_COLUMNS = ["valid_from", "valid_until"]
"""First and last day of the grant; a list may leave the columns out, and a line their values."""
DEMO_STAFF = Path(__file__).with_name("demo_staff.csv")
ADMIN_DUTY = "admin"
_USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,63}")
_YES = {"1", "true", "yes", "有", "○"}
_NO = {"", "0", "false", "no", "無"}


@dataclass(frozen=True)
class StaffMember:
    """One line of the staff list."""

    username: str
    display_name: str
    scope: Scope
    is_admin: bool = False
    from_on: dt.date | None = None
    until_on: dt.date | None = None

    def roles(self, access: Access) -> list[str]:
        """Names of the roles of the account: the scope's, and those of the audiences it belongs to."""
        names = self.scope.roles + [audience.role for audience in access.audiences_of(self.scope)]
        if self.is_admin:
            names += [audience.role for audience in access.audiences.values() if ADMIN_DUTY in audience.duties]
        names += [page.role for page in access.entry_pages_of(self.scope)]
        return sorted({*names, "staff", *(["admin"] if self.is_admin else [])})


def read_staff(path: Path, access: Access) -> list[StaffMember]:
    """The staff list, sorted by user name; empty where there is no file.

    Raises KodomoError that names file and line for anything that is not understood: a wrong line must never
    become a wider scope.
    """
    if not path.exists():
        return []
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise KodomoError("{name}: the staff list must be UTF-8.", name=path.name) from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if missing := [column for column in COLUMNS if column not in (reader.fieldnames or [])]:
        raise KodomoError("{name}: line 1: columns are missing: {names}", name=path.name, names=", ".join(missing))
    staff: dict[str, StaffMember] = {}
    for row in reader:
        place = f"{path.name}: line {reader.line_num}"
        if None in row or None in row.values():
            raise KodomoError("{place}: the number of fields is not that of the heading.", place=place)
        member = _member({key: (value or "").strip() for key, value in row.items()}, access, place)
        if member.username in staff:
            raise KodomoError("{place}: this user name stands in the list twice.", place=place)
        staff[member.username] = member
    return [staff[username] for username in sorted(staff)]


def scopes_in_use(staff: Iterable[StaffMember], day: dt.date) -> set[Scope]:
    """The scopes of lines whose last day has not passed."""
    return {member.scope for member in staff if member.until_on is None or day <= member.until_on}


def _member(row: dict[str, str], access: Access, place: str) -> StaffMember:
    if not _USERNAME.fullmatch(row["username"]):
        raise KodomoError(
            "{place}: a user name is 2 to 64 of a-z, 0-9, '.', '_', '-', beginning with a letter.", place=place
        )
    department, areas, duties = row["department"], _codes(row["areas"]), _codes(row["duties"])
    if department and department not in access.departments_ja:
        raise KodomoError("{place}: department {department!r} is unknown.", place=place, department=department)
    if unknown := sorted(areas - {"*"} - set(all_areas())):
        raise KodomoError("{place}: areas are unknown: {names}", place=place, names=", ".join(unknown))
    if "*" in duties:
        duties = set(access.duties_ja) - {ADMIN_DUTY}
    if unknown := sorted(duties - set(access.duties_ja)):
        raise KodomoError("{place}: duties are unknown: {names}", place=place, names=", ".join(unknown))
    flag = row["is_dv_authorised"].lower()
    if flag not in _YES | _NO:
        raise KodomoError("{place}: is_dv_authorised is 1 or 0, true or false.", place=place)
    scope = Scope.of([department] if department else [], areas, duties - {ADMIN_DUTY}, flag in _YES)
    from_on, until_on = (_day(row.get(name, ""), name, place) for name in TERM_COLUMNS)
    if from_on and until_on and until_on < from_on:
        raise KodomoError("{place}: valid_until is before valid_from.", place=place)
    name = row["display_name"] or row["username"]
    return StaffMember(row["username"], name, scope, ADMIN_DUTY in duties, from_on, until_on)


def _day(text: str, column: str, place: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise KodomoError("{place}: {column} is a day such as 2027-03-31.", place=place, column=column) from error


def _codes(text: str) -> set[str]:
    return {code.strip() for code in text.split("|") if code.strip()}
