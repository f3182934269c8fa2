"""``accounts.yml`` of the home folder: which grants need renewal, and who logs in with a second factor.

    renewal: {duties: [approver], dv_authorised: true, year_ends: 03-31, warning_days: 30}
    second_factor: {everyone: false, duties: [admin], dv_authorised: true}

Without the file, or a part of it, the defaults below hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from kodomo.access.access import read_access
from kodomo.access.scope import Scope
from kodomo.access.staff import ADMIN_DUTY
from kodomo.errors import KodomoError
from kodomo.home import Home


@dataclass(frozen=True)
class Concerned:
    """Accounts by what they may: those with one of some duties, those authorised for protected people, or everyone."""

    duties: tuple[str, ...] = ()
    dv_authorised: bool = False
    everyone: bool = False

    def includes(self, scope: Scope, is_admin: bool) -> bool:
        """Whether an account of a scope is one of them."""
        duties = {*scope.duties, *([ADMIN_DUTY] if is_admin else [])}
        return self.everyone or bool(duties & set(self.duties)) or (self.dv_authorised and scope.is_dv_authorised)


@dataclass(frozen=True)
class Renewal(Concerned):
    """Whose grants end with the fiscal year unless the staff list says another last day, and when people are warned.

    Administrators are left out by default: on the day after they could renew nobody, themselves included.
    """

    duties: tuple[str, ...] = ("approver",)
    dv_authorised: bool = True
    year_ends: str = "03-31"
    """Month and day."""
    warning_days: int = 30


@dataclass(frozen=True)
class Accounts:
    """The settings of a home."""

    renewal: Renewal = field(default_factory=Renewal)
    second_factor: Concerned = field(default_factory=Concerned)


def read_accounts(home: Home) -> Accounts:
    """The settings of a home. Raises KodomoError for a file that is not understood: it must not mean fewer."""
    try:
        changed = home.accounts.stat().st_mtime_ns
    except FileNotFoundError:
        return Accounts()
    return _read(home.accounts, changed)


@lru_cache(maxsize=8)
def _read(file: Path, _changed: int) -> Accounts:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        accounts = Accounts(
            **{
                name: {"renewal": Renewal, "second_factor": Concerned}[name](**_typed(dict(given)))
                for name, given in content.items()
            }
        )
        month, day = map(int, accounts.renewal.year_ends.split("-"))
        if not (1 <= month <= 12 and 1 <= day <= 28 + 3 * (month != 2)):
            raise ValueError(accounts.renewal.year_ends)
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise KodomoError(
            "accounts.yml is not understood: renewal takes duties, dv_authorised, everyone, year_ends (03-31) and "
            "warning_days; second_factor takes duties, dv_authorised and everyone."
        ) from error
    return accounts


def _typed(given: dict[str, Any]) -> dict[str, Any]:
    """Values by the type that their names have. Raises ValueError for another, or a duty that there is not."""
    kinds = {"duties": list, "dv_authorised": bool, "everyone": bool, "year_ends": str, "warning_days": int}
    for name, value in given.items():
        if not isinstance(value, kinds[name]):
            raise ValueError(name)
    duties = given.get("duties", [])
    if unknown := set(duties) - set(read_access().duties_ja):
        raise ValueError(", ".join(sorted(map(str, unknown))))
    return {**given, **({"duties": tuple(duties)} if "duties" in given else {})}
