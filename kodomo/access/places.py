"""The people whose place is withheld: one decision for a person and the household, for every output."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

_WITHHELD = """
    with

    persons as (
        select person_id, household_id, is_dv_protected from {marts}.dim_person
    ),

    households as (
        select household_id from {marts}.dim_household where is_dv_protected is not false
        union
        select household_id from persons where is_dv_protected is not false or list_contains($entered, person_id)
    )

    select person_id
    from persons
    where
        is_dv_protected is not false
        or list_contains($entered, person_id)
        or household_id in (select household_id from households where household_id is not null)
"""


def withheld_people(connection: Any, entered: Collection[str] = (), *, marts: str = "marts") -> set[str]:
    """Everyone whose address, area, school and household stay withheld from those who are not authorised.

    A person under a support measure, and everyone who lives in the household of one, by the tables dim_person and
    dim_household of the schema ``marts`` and by ``entered``, the people of measures that staff typed since.
    ``connection``: of DuckDB. Raises duckdb.CatalogException where the tables are missing.
    """
    rows = connection.execute(_WITHHELD.format(marts=marts), {"entered": list(entered)}).fetchall()
    return {row[0] for row in rows} | set(entered)


def withheld_from_leavers(connection: Any, entered: Collection[str] = (), *, marts: str = "marts") -> set[str]:
    """Children of bi_leaver whose place is withheld: as the table says, or as of a person in their family.

    A person who left has no household any more, by which ``withheld_people`` would find the child. Raises as
    ``withheld_people``.
    """
    families = (
        f"select person_id from {marts}.bi_leaver where is_dv_protected is not false "  # a schema
        f"union select person_id from {marts}.bi_leaver_family where list_contains($withheld, relative_id)"
    )
    withheld = withheld_people(connection, entered, marts=marts)
    return {row[0] for row in connection.execute(families, {"withheld": sorted(withheld)}).fetchall()}


def known_people(connection: Any, person_ids: Collection[str], *, marts: str = "marts") -> set[str]:
    """Those of the people whom dim_person of the schema ``marts`` has. Raises as ``withheld_people``."""
    query = f"select person_id from {marts}.dim_person where list_contains($asked, person_id)"  # a schema
    return {row[0] for row in connection.execute(query, {"asked": list(person_ids)}).fetchall()}


def measured_among(
    connection: Any, person_ids: Collection[str], entered: Collection[str] = (), *, marts: str = "marts"
) -> set[str]:
    """Those of the people who are under a support measure themselves. Raises as ``withheld_people``."""
    query = f"select person_id from {marts}.dim_person where is_dv_protected and list_contains($asked, person_id)"
    rows = connection.execute(query, {"asked": list(person_ids)}).fetchall()
    return {row[0] for row in rows} | (set(person_ids) & set(entered))


def withheld_among(
    connection: Any, person_ids: Collection[str], entered: Collection[str] = (), *, marts: str = "marts"
) -> set[str]:
    """Those of the people whose place is withheld; a person who is not known is. Raises as ``withheld_people``."""
    asked = set(person_ids)
    unknown = asked - known_people(connection, asked, marts=marts)
    return (asked & withheld_people(connection, entered, marts=marts)) | unknown
