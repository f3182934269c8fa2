"""The people whose place is withheld: one decision for a person and the household, for every output."""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from kodomo.errors import KodomoError
from kodomo.faults import FaultError
from kodomo.home import Home
from kodomo.publication.publication import exported_file

_WITHHELD = """
    with

    persons as (
        select person_id, household_id, is_dv_protected from marts.dim_person
    ),

    households as (
        select household_id from marts.dim_household where is_dv_protected is not false
        union
        select household_id from persons where is_dv_protected is not false or list_contains($entered, person_id)
    ),

    asked as (
        select unnest($asked::varchar[]) as person_id
    )

    select asked.person_id
    from asked
    left join persons on asked.person_id = persons.person_id
    where
        persons.is_dv_protected is not false
        or list_contains($entered, asked.person_id)
        or persons.household_id in (select household_id from households where household_id is not null)
"""


def withheld_places(home: Home, person_ids: Collection[str], entered: Collection[str] = ()) -> set[str]:
    """Of these people, those whose address, area, school and household stay withheld from the unauthorised.

    A person under a support measure, and everyone who lives in the household of one, by the publication in service and
    by ``entered``, the people of measures that staff typed since. A person that the publication does not know is
    withheld. Raises KodomoError before the first publication.
    """
    file = exported_file(home)
    if file is None:
        raise KodomoError("Nothing has been published yet: run `kodomo run --landing DIR --as-of DATE` first.")
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            rows = connection.execute(_WITHHELD, {"asked": list(person_ids), "entered": list(entered)}).fetchall()
    except duckdb.Error as error:
        raise FaultError("publication_everything", name=file.parent.name) from error
    return {row[0] for row in rows}
