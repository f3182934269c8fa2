"""A scope: what department, areas, duties and DV authorisation together give. One published file per scope."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from kodomo.seeds import read_seed

NO_SCOPE = "none"
"""Name of the file that holds nothing, for accounts without a scope."""


@cache
def all_areas() -> tuple[str, ...]:
    """Codes of the areas, in the order of the seed ``areas``."""
    rows = sorted(read_seed("areas"), key=lambda row: row["sort_order"])
    return tuple(row["area_code"] for row in rows)


@dataclass(frozen=True)
class Scope:
    """Departments, areas and duties (sorted codes), and whether protected people are shown in full."""

    departments: tuple[str, ...]
    areas: tuple[str, ...]
    duties: tuple[str, ...]
    is_dv_authorised: bool = False

    @classmethod
    def of(
        cls, departments: Iterable[str], areas: Iterable[str], duties: Iterable[str], is_dv_authorised: bool = False
    ) -> Scope:
        """A scope from codes in any order; ``*`` among the areas means all of them."""
        areas = set(all_areas()) if "*" in (given := set(areas)) else given & set(all_areas())
        return cls(
            tuple(sorted(set(departments))),
            tuple(area for area in all_areas() if area in areas),
            tuple(sorted(set(duties))),
            is_dv_authorised,
        )

    @classmethod
    def from_roles(cls, roles: Iterable[str]) -> Scope:
        """The scope that names of roles give: ``dept_*``, ``area_*``, ``duty_*``, ``dv_authorised``."""
        names = set(roles)

        def codes(prefix: str) -> set[str]:
            return {name.removeprefix(prefix) for name in names if name.startswith(prefix)}

        areas = codes("area_")
        # The role area_all alone gives no area: it says that the seven are all there are.
        return cls.of(codes("dept_"), areas - {"all"}, codes("duty_"), "dv_authorised" in names)

    @property
    def has_all_areas(self) -> bool:
        """Whether the scope is limited to no area."""
        return self.areas == all_areas()

    @property
    def is_empty(self) -> bool:
        """Whether a dimension is missing: such a scope sees nothing."""
        return not (self.departments and self.areas and self.duties)

    @property
    def key(self) -> str:
        """Name of the scope's file, the same for the same scope: letters, ``_``, ``+``, ``.``."""
        if self.is_empty:
            return NO_SCOPE
        parts = [
            "+".join(self.departments),
            "all" if self.has_all_areas else "+".join(self.areas),
            "+".join(self.duties),
        ]
        return ".".join(parts + (["dv"] if self.is_dv_authorised else []))

    @property
    def roles(self) -> list[str]:
        """Names of the roles that give this scope."""
        names = [f"dept_{department}" for department in self.departments]
        names += [f"area_{area}" for area in self.areas]
        names += ["area_all"] if self.has_all_areas else []
        names += [f"duty_{duty}" for duty in self.duties]
        return sorted(names + (["dv_authorised"] if self.is_dv_authorised else []))
