"""The recall (回収) of a version: every child whose tier, place on a list, decision or support rested on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.scoring.definition import Definition, read_definition
from kodomo.scoring.versions import kept_definition
from kodomo.warehouse import connect, records

KINDS = ("tier", "place", "decision", "support")
"""What may rest on a version, in the order of its consequences."""

_TOUCHED = """
with

ranks as (
    select
        *,
        tier_rank > min(tier_rank) over (partition by difficulty_type) as is_raised
    from tiers
),

-- Tiers above the lowest that the version gave, on any date on record.
given as (
    select
        scores.as_of_on,
        scores.person_id,
        scores.difficulty_type,
        scores.tier,
        scores.score
    from marts.fct_risk_score as scores
    inner join ranks on scores.difficulty_type = ranks.difficulty_type and scores.tier = ranks.tier
    where scores.model_version = $version and ranks.is_raised
),

-- Lists are made of the active versions; of a trial version nothing but tiers can rest.
placed as (
    select
        priorities.as_of_on,
        priorities.person_id,
        priorities.priority_class,
        priorities.priority_rank
    from marts.fct_support_priority as priorities
    semi join given on priorities.as_of_on = given.as_of_on and priorities.person_id = given.person_id
    where list_contains(cast($active_on as date[]), priorities.as_of_on)
),

dates as (
    select distinct as_of_on from marts.fct_risk_score
),

decisions as (
    select
        decisions.decision_id,
        decisions.person_id,
        coalesce(decisions.meeting_on, decisions.decided_on) as decided_on,
        decisions.decision,
        decisions.as_of_then,
        max(dates.as_of_on) as last_on
    from marts.fct_decision as decisions
    left join dates on dates.as_of_on <= coalesce(decisions.meeting_on, decisions.decided_on)
    group by all
),

resting_decisions as (
    select decisions.*
    from decisions
    semi join placed
        on
            decisions.person_id = placed.person_id
            -- What the meeting saw is on record with the decision; of older ones, the last date before it.
            and coalesce(decisions.as_of_then, decisions.last_on) = placed.as_of_on
),

supports as (
    select
        supports.support_id,
        supports.decision_id,
        supports.person_id,
        supports.started_on,
        supports.ended_on,
        supports.support_content,
        max(dates.as_of_on) as as_of_on
    from marts.fct_support as supports
    left join dates on dates.as_of_on <= supports.started_on
    group by all
),

-- A support of no decision rests on the list that stood when it began.
resting_supports as (
    select supports.*
    from supports
    left join resting_decisions on supports.decision_id = resting_decisions.decision_id
    left join placed on supports.person_id = placed.person_id and supports.as_of_on = placed.as_of_on
    where
        resting_decisions.decision_id is not null
        or (nullif(supports.decision_id, '') is null and placed.person_id is not null)
),

touched as (
    select
        person_id,
        'tier' as kind,
        min(as_of_on) as first_on,
        max(as_of_on) as last_on,
        count(*) as batches,
        difficulty_type,
        tier,
        max(score) as score,
        cast(null as varchar) as priority_class,
        cast(null as bigint) as priority_rank,
        cast(null as varchar) as decision,
        cast(null as varchar) as support_content
    from given
    group by person_id, difficulty_type, tier
    union all by name
    select
        person_id,
        'place' as kind,
        min(as_of_on) as first_on,
        max(as_of_on) as last_on,
        count(*) as batches,
        priority_class,
        min(priority_rank) as priority_rank
    from placed
    group by person_id, priority_class
    union all by name
    select
        person_id,
        'decision' as kind,
        decided_on as first_on,
        decided_on as last_on,
        decision
    from resting_decisions
    union all by name
    select
        person_id,
        'support' as kind,
        started_on as first_on,
        ended_on as last_on,
        support_content
    from resting_supports
)

select
    touched.*,
    persons.display_name,
    persons.birth_on
from touched
left join marts.dim_person as persons on touched.person_id = persons.person_id
order by touched.person_id, list_position($kinds, touched.kind), touched.first_on, touched.difficulty_type, touched.tier
"""


@dataclass(frozen=True)
class Touched:
    """One thing of a child that rested on the version. ``kind``: one of KINDS; dates: first and last, a support's
    beginning and end; ``batches``: on how many as-of dates; what does not belong to the kind is None."""

    person_id: str
    display_name: str | None
    birth_on: dt.date | None
    kind: str
    first_on: dt.date | None
    last_on: dt.date | None
    batches: int | None
    difficulty_type: str | None
    tier: str | None
    score: float | None
    priority_class: str | None
    priority_rank: int | None
    decision: str | None
    support_content: str | None


@dataclass(frozen=True)
class Recall:
    """Whom a version touched: its as-of dates, those on which it was active, and each thing that rested on it."""

    version: str
    as_of_dates: tuple[dt.date, ...]
    active_on: tuple[dt.date, ...]
    touched: tuple[Touched, ...]

    @property
    def children(self) -> dict[str, list[Touched]]:
        """What rested on the version, by child."""
        by_child: dict[str, list[Touched]] = {}
        for one in self.touched:
            by_child.setdefault(one.person_id, []).append(one)
        return by_child

    def count(self, kind: str) -> int:
        """Children of whom something of this kind rested on the version."""
        return len({one.person_id for one in self.touched if one.kind == kind})


def recall(home: Home, version: str) -> Recall:
    """Whom a version touched on any as-of date on record. Raises KodomoError for a version that scored nobody."""
    with connect(home, read_only=True) as connection:
        return recall_from(connection, home, version)


def recall_from(connection: duckdb.DuckDBPyConnection, home: Home, version: str) -> Recall:
    """``recall`` from a connection whose database has the marts and the runs: the warehouse or a publication."""
    dates = [
        row[0]
        for row in connection.execute(
            "select distinct as_of_on from marts.fct_risk_score where model_version = ? order by all", [version]
        ).fetchall()
    ]
    if not dates:
        raise KodomoError("No score of {version} is on record: there is nothing to recall.", version=version)
    runs = connection.execute(
        "select as_of_on, arg_max(definition_hash, built_at) from raw.risk_runs "
        "where list_contains(?, as_of_on) group by as_of_on order by as_of_on",
        [dates],
    ).fetchall()
    definitions = [(date, read_definition(kept_definition(home, digest))) for date, digest in runs]
    active_on = [date for date, definition in definitions if _is_active(definition, version)]
    # The version is the same in every definition that has it: approved versions do not change.
    tiers = [row for row in definitions[-1][1]["risk_tiers"] if row["model_version"] == version]
    touched = touched_by(connection, version, tiers, active_on)
    return Recall(version, tuple(dates), tuple(active_on), touched)


def _is_active(definition: Definition, version: str) -> bool:
    return any(
        row["model_version"] == version and row["status"] == "active" for row in definition["risk_model_versions"]
    )


def touched_by(
    connection: duckdb.DuckDBPyConnection, version: str, tiers: Sequence[dict], active_on: Sequence[dt.date]
) -> tuple[Touched, ...]:
    """What rested on a version, by child, gravest consequence last.

    ``tiers``: difficulty_type, tier and tier_rank of the version; ``active_on``: as-of dates on which it was active.
    """
    connection.execute("create or replace temp table tiers (difficulty_type varchar, tier varchar, tier_rank integer)")
    connection.executemany(
        "insert into tiers values (?, ?, ?)",
        [(row["difficulty_type"], row["tier"], row["tier_rank"]) for row in tiers],
    )
    given = {"version": version, "active_on": [*active_on], "kinds": [*KINDS]}
    return tuple(Touched(**row) for row in records(connection, _TOUCHED, given))
