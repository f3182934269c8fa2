"""Individual determination (個別検討): the batch's own SQL over the publication in service and what was just heard."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from functools import partial

import duckdb

from kodomo.determination.heard import HEARD, AssessError, Observation, refuse_unusable
from kodomo.determination.nearby import near
from kodomo.determination.results import ChildResult, Determination, read_results
from kodomo.determination.service import Reader, in_service, reading
from kodomo.entries.disputes import Place
from kodomo.home import Home
from kodomo.linkage.explain import find_person
from kodomo.publication.inputs import TARGETS
from kodomo.scoring.replay import PARAMETERS, SCRATCH, WAREHOUSE, open_scratch

SCOPES = ("person", "household", "family")
"""Whose children: each one's are at most one genogram step further away than the one's before."""
SCOPES_JA = {"person": "本人", "household": "世帯", "family": "家族"}
# What the scores are made from, once the children are chosen.
CHOSEN = (
    "intermediate.int_risk__subjects",
    "intermediate.int_risk__scope_members",
    "intermediate.int_chain__values",
    "intermediate.int_child__profiles",
    "intermediate.int_child__separations",
    "intermediate.int_observations__all",
    "intermediate.int_person__known_ids",
    "marts.fct_chain",
    "marts.fct_known_by",
)
# Whose rows of them count, where it is not the children themselves.
_KEPT = {"intermediate.int_observations__all": f"select member_id from {SCRATCH}.intermediate.int_risk__scope_members"}


def find(home: Home, given: str) -> tuple[str, dict[str, str | None]]:
    """The person_id for a person id, a 宛名番号 or ``source:key``, and mother and father if it is a child.

    Raises UsageError when no person has the id.
    """
    with in_service(home) as (connection, _):
        connection.execute(f"use {WAREHOUSE}")
        person_id = find_person(connection, given)
        parents = connection.execute(
            "select mother_id, father_id from marts.dim_child where person_id = ?", [person_id]
        ).fetchall()
    mother, father = parents[0] if parents else (None, None)
    return person_id, {"mother": mother, "father": father}


def determine(
    home: Home,
    person_id: str,
    *,
    scope: str = "person",
    heard: Sequence[Observation] = (),
    as_of_on: dt.date | None = None,
    without: Collection[Place] = (),
) -> Determination:
    """Score one child, or the children of one household or family, for a date (default: that of the publication).

    ``without``: facts that are left out, as if their holders had not delivered them.
    The statements are those of the batch that was published. Raises UsageError when there is no child to score, or
    when what was heard cannot be used.
    """
    import time

    started = time.perf_counter()
    with reading(home) as (connection, reader):
        built_on = connection.execute(f"select as_of_on from {WAREHOUSE}.{PARAMETERS}").fetchall()[0][0]
        date = as_of_on or built_on
        refuse_unusable(heard, date)
        children = evaluate(
            connection, reader, person_id, scope, heard, date, is_built=date == built_on, without=without
        )
        elapsed = int((time.perf_counter() - started) * 1000)
        return Determination(date, built_on, reader.folder.name, scope, tuple(heard), tuple(children), elapsed)


def evaluate(
    connection: duckdb.DuckDBPyConnection,
    reader: Reader,
    person_id: str,
    scope: str,
    heard: Sequence[Observation],
    as_of_on: dt.date,
    *,
    is_built: bool,
    without: Collection[Place] = (),
) -> list[ChildResult]:
    """Everything that a determination executes, from an empty ``scratch`` to the rows of each child.

    ``is_built``: whether the date is that of the publication. Raises AssessError when there is no child to score.
    """
    open_scratch(connection, as_of_on)
    # Without some facts, chains and known cases are others too: they are made again, as for another date.
    is_as_built = is_built and not without
    _choose(connection, reader, person_id, scope, None if is_as_built else as_of_on, without)
    _add(connection, heard)
    changed = [*CHOSEN, *([] if is_as_built else [PARAMETERS])]
    reader.models.execute(connection, changed, [target for target in TARGETS if target not in CHOSEN])
    return read_results(connection, reader.models)


def _choose(
    connection: duckdb.DuckDBPyConnection,
    reader: Reader,
    person_id: str,
    scope: str,
    other: dt.date | None,
    without: Collection[Place] = (),
) -> None:
    """Make the relations of CHOSEN in ``scratch`` for the chosen children only."""
    if other is not None:
        wanted = [*CHOSEN, "intermediate.int_person__identities"]
        changed = near(connection, reader, wanted, person_id, SCOPES.index(scope))
        reader.models.execute(connection, changed, wanted, after=_left_out(connection, without))
    source = WAREHOUSE if other is None else SCRATCH
    subject = person_id if other is None else _id_on_that_date(connection, person_id)
    connection.execute("create or replace temp table chosen (person_id varchar)")
    connection.execute(f"insert into chosen {_SUBJECTS[scope].format(source=source)}", {"person": subject})
    if not connection.execute("select count(*) from chosen").fetchall()[0][0]:
        if scope == "person":
            raise AssessError(
                "This person is no child on that date (before birth to 18, registered in the city): "
                "--household or --family chooses the children around it.",
                "その日には判定の対象ではありません（対象は出生前から18歳未満の住民です）。",
            )
        raise AssessError(
            f"There is no child to score on that date: neither is the person one, nor has the {scope} any.",
            "その日に判定の対象となる子どもがいません。",
        )
    for relation in CHOSEN:
        kept = f"person_id in ({_KEPT.get(relation, 'select person_id from chosen')})"
        if relation == "marts.fct_chain":
            kept += f" and as_of_on = (select as_of_on from {source}.{PARAMETERS})"
        if other is None:
            connection.execute(
                f"create table {SCRATCH}.{relation} as select * from {WAREHOUSE}.{relation} where {kept}"
            )
        else:
            connection.execute(f"delete from {SCRATCH}.{relation} where not ({kept})")


def _left_out(connection: duckdb.DuckDBPyConnection, without: Collection[Place]) -> dict[str, Callable[[], None]]:
    """What takes the facts at some places out of the observations and the cases, before anything is made of them."""

    def leave_out(relation: str, names: tuple[str, ...]) -> None:
        same = " and ".join(f"{name} = ?" for name in names)
        for place in without:
            values = [getattr(place, name) for name in names]
            connection.execute(f"delete from {SCRATCH}.{relation} where {same}", values)

    columns = {
        "intermediate.int_observations__all": ("delivery_id", "line_number", "observation_code"),
        "intermediate.int_family__cases": ("delivery_id", "line_number"),
    }
    return {relation: partial(leave_out, relation, names) for relation, names in columns.items()} if without else {}


# Who is scored. `source` is the database of the date in question.
_SUBJECTS = {
    "person": "select person_id from {source}.intermediate.int_risk__subjects where person_id = $person",
    "household": """
        select person_id from {source}.intermediate.int_child__profiles
        where
            household_id in (
                select household_id from {source}.intermediate.int_child__profiles where person_id = $person
                union all
                select children.household_id
                from {source}.intermediate.int_child__profiles as children
                inner join {source}.intermediate.int_risk__scope_members as members
                    on children.person_id = members.person_id and members.scope = 'household'
                where members.member_id = $person
            )
            or person_id = $person
    """,
    "family": """
        select person_id from {source}.intermediate.int_risk__scope_members
        where scope = 'family' and member_id = $person
        union
        select member_id from {source}.intermediate.int_risk__scope_members
        semi join (select person_id as member_id from {source}.intermediate.int_risk__subjects) using (member_id)
        where scope = 'family' and person_id = $person
        union
        select person_id from {source}.intermediate.int_risk__subjects where person_id = $person
    """,
}


def _id_on_that_date(connection: duckdb.DuckDBPyConnection, person_id: str) -> str:
    """The id on that date: before birth a child is identified by its mother's notification, and the other way round."""
    matches = connection.execute(
        f"""
        select there.person_id
        from {WAREHOUSE}.intermediate.int_person__identities as here
        inner join {SCRATCH}.intermediate.int_person__identities as there using (source_id, source_key)
        semi join {SCRATCH}.intermediate.int_risk__subjects as subjects on there.person_id = subjects.person_id
        where here.source_id = 'pregnancy_notifications' and here.person_id = ?
        order by there.person_id limit 1
        """,
        [person_id],
    ).fetchall()
    return matches[0][0] if matches else person_id


def _add(connection: duckdb.DuckDBPyConnection, heard: Sequence[Observation]) -> None:
    if not heard:
        return
    members = {
        row[0]
        for row in connection.execute(
            f"select distinct member_id from {SCRATCH}.intermediate.int_risk__scope_members"
        ).fetchall()
    }
    for number, observation in enumerate(heard, start=1):
        if observation.person_id not in members:
            raise AssessError(
                "What was heard is about a person who counts for none of these children.",
                "聞いたことの対象者は、この子どもの判定に関わる家族ではありません。",
            )
        connection.execute(
            f"insert into {SCRATCH}.intermediate.int_observations__all by name "
            "select ? as person_id, ? as observation_code, ? as observed_on, ? as ended_on, ? as value, "
            "? as text_value, ? as source_id, ? as delivery_id, ? as line_number",
            [
                observation.person_id,
                observation.observation_code,
                observation.observed_on,
                observation.ended_on,
                observation.value,
                observation.text_value,
                HEARD,
                HEARD,
                number,
            ],
        )
