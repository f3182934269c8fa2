"""A publication of a few people, for tests of whose place is withheld."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from kodomo.home import Home


def publish_people(home: Home, people: Iterable[tuple[str, str | None, bool | None]]) -> None:
    """Put people (id, household, whether protected) in service, with the households that they make."""
    folder = home.published / "r1"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "everything.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.dim_person (person_id text, household_id text, is_dv_protected boolean)")
        connection.executemany("insert into marts.dim_person values (?, ?, ?)", list(people))
        connection.execute(
            "create table marts.dim_household as select household_id, bool_or(is_dv_protected) as is_dv_protected "
            "from marts.dim_person where household_id is not null group by all"
        )
    (home.published / "current").symlink_to("r1")
