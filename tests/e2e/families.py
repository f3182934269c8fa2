"""Families under a support measure in a city's home, and what would tell where they live."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import duckdb

from kodomo.home import Home
from kodomo.publication import current
from kodomo.publication.publication import EVERYTHING

PROTECTED = 5
"""How many families are protected, each of another area, with a child at school and an adult beside the mother."""

_CHOSEN = f"""
    create or replace temp table chosen as
    select
        dim_child.household_id,
        arg_min(dim_child.person_id, dim_child.person_id) as child_id,
        arg_min(dim_child.mother_id, dim_child.person_id) as mother_id
    from marts.dim_child as dim_child
    inner join marts.bi_child as bi_child on dim_child.person_id = bi_child.person_id
    inner join marts.dim_household as dim_household on dim_child.household_id = dim_household.household_id
    where
        dim_child.mother_id is not null and not dim_household.is_institution
        and dim_household.member_count - dim_household.child_count > 1
        and bi_child.school_name not like '（%' and contains(bi_child.departments, '|education|')
        and bi_child.priority_class in ('A', 'B', 'C')
    group by dim_child.household_id
    qualify row_number() over (partition by any_value(dim_child.area_code) order by dim_child.household_id) = 1
    order by dim_child.household_id
    limit {PROTECTED}
"""
_PROTECT = (
    "create or replace temp table people as "
    "select person_id from marts.dim_child where household_id in (select household_id from chosen) "
    "union select mother_id from chosen",
    "update marts.dim_person set is_dv_protected = true, moved_from = null, moved_to = null "
    "where person_id in (select person_id from people)",
    "update intermediate.int_child__profiles set is_dv_protected = true "
    "where person_id in (select person_id from people)",
    "update marts.dim_household set is_dv_protected = true where household_id in (select household_id from chosen)",
    "update marts.bi_family_sheet set is_dv_protected = true where relative_id in "
    "(select person_id from marts.dim_person semi join chosen using (household_id))",
    "update marts.bi_family_member set is_dv_protected = true "
    "where from_person_id in (select person_id from people) or to_person_id in (select person_id from people)",
    *(
        f"update marts.{table} set is_dv_protected = true from marts.fct_chain as chains "
        f"where {table}.person_id = chains.person_id and {table}.end_person_id = chains.end_person_id "
        "and list_has_any(string_split(chains.path, '>'), (select list(person_id) from marts.dim_person "
        "semi join chosen using (household_id)))"
        for table in ("bi_chain", "bi_chain_step")
    ),
)


@dataclass(frozen=True)
class Family:
    """A protected household: the child, everybody in it, and what tells where it is."""

    child: str
    members: frozenset[str]
    household: str
    town: str
    street_number: str
    area_code: str
    area_name: str
    school: str

    def tells(self, text: str) -> list[str]:
        """What a text tells of the household: its number, its street."""
        plain = "".join(unicodedata.normalize("NFKC", text).split())
        found = []
        if re.search(rf"(?<!\d)0*{self.household.lstrip('0')}(?!\d)", text):
            found.append("household number")
        if re.search(rf"{re.escape(self.town)}(大字|字)?{re.escape(self.street_number)}(?!\d)", plain):
            found.append("street")
        return found

    def tells_in_a_row(self, text: str) -> list[str]:
        """What a text that is about the family alone tells: area and school too, which others share."""
        found = self.tells(text)
        if re.search(rf"\b{self.area_code}\b", text) or self.area_name in text:
            found.append("area")
        if self.school in text:
            found.append("school")
        return found


def protect_families(home: Home) -> None:
    """Put the mothers of some families under a support measure, in the last build and in service, before any scope."""
    file = current(home) / EVERYTHING
    file.chmod(0o600)
    for path in (home.warehouse, file):
        _protect(path)
    file.chmod(0o400)


def _protect(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(_CHOSEN)
        for statement in _PROTECT:
            connection.execute(statement)
        tables = connection.execute(
            "select table_name from information_schema.columns where table_schema = 'marts' "
            "and table_name like 'bi_%' and column_name in ('is_dv_protected', 'person_id') "
            "group by all having count(*) = 2"
        ).fetchall()
        for (table,) in tables:
            connection.execute(
                f"update marts.{table} set is_dv_protected = true where person_id in (select person_id from people)"
            )


def protected_families(home: Home) -> list[Family]:
    """Every protected household with children, and what tells where it is, from the last build."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        rows = connection.execute(
            """
            with

            members as (
                select household_id, list(person_id) as members from marts.dim_person group by household_id
            ),

            addresses as (
                select household_no, arg_max(town, delivery_id) as town,
                    arg_max(street_number, delivery_id) as street_number
                from staging.stg_citizens__resident_register group by household_no
            )

            select bi_child.person_id, members.members, dim_household.household_id, addresses.town,
                regexp_extract(addresses.street_number, '[0-9]+'), bi_child.area_code, bi_child.area_name,
                bi_child.school_name
            from marts.dim_household as dim_household
            inner join members on dim_household.household_id = members.household_id
            inner join marts.dim_child as dim_child on dim_household.household_id = dim_child.household_id
            inner join marts.bi_child as bi_child on dim_child.person_id = bi_child.person_id
            inner join addresses on dim_household.household_id = addresses.household_no
            where dim_household.is_dv_protected and bi_child.is_dv_protected
            qualify row_number() over (
                partition by dim_household.household_id order by bi_child.school_name like '（%', bi_child.person_id
            ) = 1
            order by dim_household.household_id
            """
        ).fetchall()
    return [Family(row[0], frozenset(row[1]), *row[2:]) for row in rows]
