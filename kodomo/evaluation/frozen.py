"""Everyone who was a child at a past date, as a batch of that date would have seen them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import duckdb

from kodomo.evaluation.relations import FREEZING
from kodomo.parameters import parameter
from kodomo.scoring.definition import Definition
from kodomo.scoring.replay import (
    DEFINITION,
    PARAMETERS,
    SCRATCH,
    VERSIONS,
    CompiledModels,
    close_scratch,
    open_scratch,
)
from kodomo.scoring.score import load_definition

OUTCOME_MONTHS = parameter("outcome_months")
"""How long after the freeze the outcomes are looked at."""
OVERDUE_DAYS = parameter("overdue_days")
FROZEN = f"""
with

bands as (
    select person_id, list({{'item_code': item_code, 'band_no': band_no}} order by item_code, band_no) as bands
    from scratch.intermediate.int_risk__met_bands
    group by person_id
),

scores as (
    select
        person_id,
        list(
            {{
                'model_version': model_version,
                'difficulty_type': difficulty_type,
                'score': score,
                'tier': tier,
                'completeness': completeness
            }}
            order by model_version, difficulty_type
        ) as scores
    from scratch.intermediate.int_risk__scores
    group by person_id
),

-- Who was not born yet has had another id since.
births as (
    select 'preg-' || notification_no as unborn_id, person_id
    from warehouse.intermediate.int_person__pregnancies
    where is_born
),

households as (
    select
        members.person_id,
        list(coalesce(births.person_id, members.member_id) order by members.member_id) as household_members
    from scratch.intermediate.int_risk__scope_members as members
    left join births on members.member_id = births.unborn_id
    where members.scope = 'household'
    group by members.person_id
),

lasting as (
    select distinct person_id, observation_code
    from warehouse.intermediate.int_observations__all
    where
        observed_on <= $frozen_on
        and (ended_on is null or ended_on > $frozen_on)
        and observation_code in (
            'foreign_resident', 'child_rearing_allowance', 'public_assistance', 'disability_certificate'
        )
),

circumstances as (
    select
        members.person_id,
        bool_or(lasting.observation_code = 'foreign_resident' and members.scope = 'self') as is_foreign,
        bool_or(lasting.observation_code = 'child_rearing_allowance') as is_single_parent,
        bool_or(lasting.observation_code = 'public_assistance') as has_public_assistance,
        bool_or(lasting.observation_code = 'disability_certificate' and members.scope = 'self') as has_disability
    from scratch.intermediate.int_risk__scope_members as members
    inner join lasting on members.member_id = lasting.person_id
    where members.scope in ('self', 'household')
    group by members.person_id
)

select
    children.person_id,
    coalesce(births.person_id, children.person_id) as current_person_id,
    $frozen_on as frozen_on,
    cast($frozen_on + interval {OUTCOME_MONTHS} month as date) as outcome_until,
    children.age_months,
    children.sex,
    children.area_code,
    coalesce(circumstances.is_foreign, false) as is_foreign,
    coalesce(circumstances.is_single_parent, false) as is_single_parent,
    coalesce(circumstances.has_public_assistance, false) as has_public_assistance,
    coalesce(circumstances.has_disability, false) as has_disability,
    households.household_members,
    bands.bands,
    scores.scores
from scratch.intermediate.int_child__profiles as children
left join births on children.person_id = births.unborn_id
left join households on children.person_id = households.person_id
left join bands on children.person_id = bands.person_id
left join scores on children.person_id = scores.person_id
left join circumstances on children.person_id = circumstances.person_id
-- A pregnancy that is overdue by three weeks has ended without a child here: nothing can come of it.
where children.due_on is null or children.due_on >= $frozen_on - {OVERDUE_DAYS}
"""


def freeze(
    connection: duckdb.DuckDBPyConnection,
    models: CompiledModels,
    frozen_on: dt.date,
    definition: Definition | None = None,
    versions: Collection[str] | None = None,
) -> str:
    """Build the scores of that date in ``scratch`` and a temporary table ``frozen``, one row per child; its name.

    The connection reads the warehouse as ``warehouse``. Columns: what the child was like, the bands of all items and
    the scores of all versions: those in force or on trial, or all of ``definition`` where one is given (``versions``:
    these of them).
    """
    open_scratch(connection, frozen_on)
    changed = [PARAMETERS]
    if definition is not None:
        load_definition(connection, definition, SCRATCH, versions=versions)
        changed += [*DEFINITION, VERSIONS]
    models.execute(connection, changed, FREEZING)
    connection.execute(f"create or replace temp table frozen as {FROZEN}", {"frozen_on": frozen_on})
    close_scratch(connection)
    return "frozen"
