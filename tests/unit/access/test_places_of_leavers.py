"""Of children who left the household by which protection is found is gone: their family tells."""

from __future__ import annotations

import duckdb

from kodomo.access.places import withheld_from_leavers


def test_place_of_a_leaver_is_withheld_with_that_of_a_person_in_its_family() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema marts;
            create table marts.dim_person as
                select * from (values ('mother', null, true), ('other', null, false), ('told', null, false))
                as people (person_id, household_id, is_dv_protected);
            create table marts.dim_household (household_id varchar, is_dv_protected boolean);
            create table marts.bi_leaver as
                select * from (values ('own', true), ('by mother', false), ('by telephone', false), ('none', false))
                as leavers (person_id, is_dv_protected);
            create table marts.bi_leaver_family as
                select * from (values ('by mother', 'mother'), ('by telephone', 'told'), ('none', 'other'))
                as families (person_id, relative_id);
            """
        )
        assert withheld_from_leavers(connection) == {"own", "by mother"}
        assert withheld_from_leavers(connection, ["told"]) == {"own", "by mother", "by telephone"}
