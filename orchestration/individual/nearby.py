"""Another date for a few people: the batch's family and observation models over those near them, not the whole city."""

from __future__ import annotations

import duckdb

from orchestration.individual.replay import PARAMETERS, SCRATCH, WAREHOUSE, CompiledModels

STEPS = 4
"""Edges of the longest chain."""
# A household that ever had more members than this is an institution on any date, and makes no edge.
FAMILY_AT_MOST = 30
EXTERNAL_KEYS = {
    "school_person_no": "school_enrolment",
    "centre_case_no": "guidance_centre_cases",
    "service_no": "social_council_services",
}


def near(
    connection: duckdb.DuckDBPyConnection, models: CompiledModels, targets: list[str], person_id: str, beyond: int
) -> list[str]:
    """Put what the models read into ``scratch``, without the rows of people too far away to matter to this person.

    Who matters: everybody within a chain's edges that ever were, of the person or of a child up to ``beyond`` edges
    away, and whoever ever shared a household with them. Returns the relations that changed, the run's parameters
    among them.
    """
    _choose_people(connection, person_id, STEPS + beyond)
    again = set(models.again(targets, [PARAMETERS]))
    changed = []
    for relation in sorted({parent for name in again for parent in models.parents[name]} - again):
        if relation == PARAMETERS or relation.startswith("seeds."):
            continue
        kept = _condition(connection, relation)
        if kept is not None:
            connection.execute(
                f"create or replace table {SCRATCH}.{relation} as select * from {WAREHOUSE}.{relation} where {kept}"
            )
            changed.append(relation)
    return [PARAMETERS, *changed]


def _choose_people(connection: duckdb.DuckDBPyConnection, person_id: str, steps: int) -> None:
    connection.execute("create or replace temp table near_people as select ?::varchar as person_id", [person_id])
    for _ in range(steps):
        connection.execute(
            f"""
            insert into near_people
            with

            households as (
                select history.household_no
                from {WAREHOUSE}.staging.stg_citizens__household_history as history
                inner join {WAREHOUSE}.intermediate.int_person__atena as atena using (atena_no)
                semi join near_people using (person_id)
                union
                select register.household_no
                from {WAREHOUSE}.staging.stg_citizens__resident_register as register
                inner join {WAREHOUSE}.intermediate.int_person__atena as atena using (atena_no)
                semi join near_people using (person_id)
            ),

            lived_there as (
                select household_no, atena_no from {WAREHOUSE}.staging.stg_citizens__household_history
                semi join households using (household_no)
                union
                select household_no, atena_no from {WAREHOUSE}.staging.stg_citizens__resident_register
                semi join households using (household_no)
            ),

            families as (
                select household_no from lived_there
                group by household_no
                having count(*) <= {FAMILY_AT_MOST}
            ),

            links as (
                select from_person_id as person_id, to_person_id as other_id
                from {WAREHOUSE}.marts.fct_family_link
                union all
                select to_person_id as person_id, from_person_id as other_id
                from {WAREHOUSE}.marts.fct_family_link
            ),

            found as (
                select links.other_id as person_id from links
                semi join near_people on links.person_id = near_people.person_id
                union
                select atena.person_id
                from lived_there
                semi join families using (household_no)
                inner join {WAREHOUSE}.intermediate.int_person__atena as atena using (atena_no)
            )

            select person_id from found
            anti join near_people using (person_id)
            """
        )
    # The households of those people whole: who was their head, and how many lived there.
    connection.execute(
        f"""
        create or replace temp table near_atena as
        with

        own as (
            select atena_no from {WAREHOUSE}.intermediate.int_person__atena
            semi join near_people using (person_id)
        ),

        households as (
            select household_no from {WAREHOUSE}.staging.stg_citizens__household_history
            semi join own using (atena_no)
            union
            select household_no from {WAREHOUSE}.staging.stg_citizens__resident_register
            semi join own using (atena_no)
        ),

        members as (
            select atena_no from own
            union
            select atena_no from {WAREHOUSE}.staging.stg_citizens__household_history
            semi join households using (household_no)
            union
            select atena_no from {WAREHOUSE}.staging.stg_citizens__resident_register
            semi join households using (household_no)
        )

        -- Two numbers of one person come together.
        select others.atena_no, others.person_id
        from {WAREHOUSE}.intermediate.int_person__atena as others
        semi join (
            select person_id from {WAREHOUSE}.intermediate.int_person__atena
            semi join members using (atena_no)
        ) using (person_id)
        """
    )
    connection.execute(
        "insert into near_people select distinct person_id from near_atena anti join near_people using (person_id)"
    )


def _condition(connection: duckdb.DuckDBPyConnection, relation: str) -> str | None:
    """Which rows matter; None where the relation has no column of people and is read as it is."""
    schema, _, table = relation.partition(".")
    columns = [
        row[0]
        for row in connection.execute(
            "select column_name from duckdb_columns() where database_name = ? and schema_name = ? and table_name = ?",
            [WAREHOUSE, schema, table],
        ).fetchall()
    ]
    people = [name for name in columns if name in {"person_id", "husband_id", "wife_id"}]
    if people:
        # Records that nobody has been found for have no person among them.
        return " or ".join(f"{name} in (select person_id from near_people)" for name in people)
    if numbers := [name for name in columns if name.endswith("atena_no")]:
        return " or ".join(f"{name} in (select atena_no from near_atena)" for name in numbers)
    for key, source_id in EXTERNAL_KEYS.items():
        if key in columns:
            return (
                f"{key} in (select source_key from {WAREHOUSE}.intermediate.int_person__identities "
                f"where source_id = '{source_id}' and person_id in (select person_id from near_people))"
            )
    return None
