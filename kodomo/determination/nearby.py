"""Another date for a few people: the batch's family and observation models over those near them, not the whole city."""

from __future__ import annotations

import duckdb

from kodomo.determination.service import Reader
from kodomo.errors import KodomoError
from kodomo.parameters import parameter
from kodomo.publication.inputs import EXTERNAL_KEYS, NEARNESS, people_columns
from kodomo.scoring.replay import PARAMETERS, SCRATCH, WAREHOUSE

STEPS = parameter("chain_steps")
"""Edges of the longest chain."""


def near(
    connection: duckdb.DuckDBPyConnection, reader: Reader, targets: list[str], person_id: str, beyond: int
) -> list[str]:
    """Put what the models read into ``scratch``, without the rows of people too far away to matter to this person.

    Relevant are the people within a chain's edges that ever were, of the person or of a child up to ``beyond`` edges
    away, and all who ever shared a household with them. Returns the relations that changed, the run's parameters
    among them.
    """
    _choose_people(connection, reader, person_id, STEPS + beyond)
    parents = reader.models.parents
    again = set(reader.models.again(targets, [PARAMETERS]))
    changed = []
    for relation in sorted({parent for name in again for parent in parents[name]} - again):
        if relation == PARAMETERS or relation.startswith("seeds."):
            continue
        kept = _condition(reader.columns[relation])
        if kept is not None:
            connection.execute(
                f"create or replace table {SCRATCH}.{relation} as select * from {WAREHOUSE}.{relation} where {kept}"
            )
            changed.append(relation)
    return [PARAMETERS, *changed]


def _choose_people(connection: duckdb.DuckDBPyConnection, reader: Reader, person_id: str, steps: int) -> None:
    if not reader.columns.keys() >= set(NEARNESS):
        raise KodomoError("What is in service was published without families: run `kodomo run` to publish again.")
    people, lived, links = (f"{WAREHOUSE}.{name}" for name in NEARNESS)
    connection.execute(
        f"create or replace temp table near_numbers as select number from {people} where person_id = ?", [person_id]
    )
    for _ in range(steps):
        connection.execute(
            f"""
            insert into near_numbers
            with

            neighbours as (
                select other as number from {links}
                where number in (select number from near_numbers)
                union
                select number from {lived}
                where
                    household in (
                        select household from {lived}
                        where is_family and number in (select number from near_numbers)
                    )
            )

            select number from neighbours
            anti join near_numbers using (number)
            """
        )
    # The households of those people whole: who was their head, and how many lived there.
    connection.execute(
        f"""
        create or replace temp table near_atena as
        with

        numbers as (
            select number from {lived}
            where household in (select household from {lived} where number in (select number from near_numbers))
            union
            select number from near_numbers
        ),

        people as (
            select person_id from {people}
            where number in (select number from numbers)
        )

        -- Two numbers of one person come together.
        select atena_no, person_id from {WAREHOUSE}.intermediate.int_person__atena
        where person_id in (select person_id from people)
        """
    )
    connection.execute(
        f"""
        create or replace temp table near_people as
        select person_id from near_atena
        union
        select person_id from {people}
        where number in (select number from near_numbers)
        """
    )


def _condition(columns: list[str]) -> str | None:
    """Which rows matter; None where the relation has no column of people and is read as it is."""
    kept = []
    for name in people_columns(columns):
        if name in EXTERNAL_KEYS:
            source_id = EXTERNAL_KEYS[name]
            keys = (
                # The extracts of schools may spell a pupil's number otherwise than the roster.
                f"select school_person_no from {WAREHOUSE}.intermediate.int_person__pupil_numbers where true"
                if source_id == "school_enrolment"
                else f"select source_key from {WAREHOUSE}.intermediate.int_person__identities "
                f"where source_id = '{source_id}'"
            )
            near_keys = f"{keys} and person_id in (select person_id from near_people)"
        elif name.endswith("atena_no"):
            near_keys = "select atena_no from near_atena"
        else:
            # A record that is linked to no person has no person id to match.
            near_keys = "select person_id from near_people"
        kept.append(f"{name} in ({near_keys})")
    return " or ".join(kept) or None
