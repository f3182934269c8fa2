-- Other as-of dates stay: a run replaces the rows of its own date only.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook='{{ replace_rows_of_this_date() }}'
    )
}}

with group_members as (
    select * from {{ ref('int_evaluation__group_members') }}
),

capacities as (
    select * from {{ ref('meeting_capacities') }}
),

counted as (
    -- whom the meeting would see of each group: the k highest scores of all children
    select
        group_members.model_version,
        group_members.difficulty_type,
        capacities.capacity,
        group_members.group_kind,
        group_members.group_value,
        count(*) as people,
        count(*) filter (where group_members.became_case) as cases,
        count(*) filter (where group_members.score_rank <= capacities.capacity) as flagged,
        count(*) filter (
            where group_members.score_rank <= capacities.capacity and group_members.became_case
        ) as flagged_cases
    from group_members
    cross join capacities
    where group_members.group_kind not in ('all', 'tier', 'score_band')
    group by
        group_members.model_version,
        group_members.difficulty_type,
        capacities.capacity,
        group_members.group_kind,
        group_members.group_value
),

rates as (
    select
        *,
        unnest([
            { 'measure': 'ppv', 'whole': flagged },
            { 'measure': 'recall', 'whole': cases }
        ]) as rate
    from counted
),

named_rates as (
    select
        *,
        rate['measure'] as measure,
        rate['whole'] as whole
    from rates
)

select
    {{ as_of() }} as as_of_on,
    model_version,
    difficulty_type,
    capacity,
    measure,
    group_kind,
    group_value,
    flagged_cases / nullif(whole, 0) as measure_value,
    {{ wilson('flagged_cases', 'whole', '-') }} as value_low,
    {{ wilson('flagged_cases', 'whole', '+') }} as value_high,
    whole as base,
    people,
    cases,
    flagged,
    flagged_cases
from named_rates
