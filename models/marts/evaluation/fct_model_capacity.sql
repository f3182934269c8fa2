-- Other as-of dates stay: a run replaces the rows of its own date only.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook='{{ replace_rows_of_this_date() }}'
    )
}}

with scored as (
    select * from {{ ref('int_evaluation__scored_cohort') }}
),

areas as (
    select * from {{ ref('areas') }}
),

persons as (
    select * from {{ ref('dim_person') }}
),

households as (
    select * from {{ ref('dim_household') }}
),

capacities as (
    select * from {{ ref('meeting_capacities') }}
),

protected_people as (
    select persons.person_id
    from persons
    left join households on persons.household_id = households.household_id
    where persons.is_dv_protected or households.is_dv_protected
),

members as (
    select
        scored.model_version,
        scored.difficulty_type,
        scored.became_case,
        scored.score_rank,
        unnest([
            {{ compared_groups('scored') }}
        ]) as member_of
    from scored
    left join areas on scored.area_code = areas.area_code
    left join protected_people on scored.person_id = protected_people.person_id
),

counted as (
    -- whom the meeting would see of each group: the k highest scores of all children
    select
        members.model_version,
        members.difficulty_type,
        capacities.capacity,
        members.member_of['kind'] as group_kind,
        members.member_of['label'] as group_value,
        count(*) as people,
        count(*) filter (where members.became_case) as cases,
        count(*) filter (where members.score_rank <= capacities.capacity) as flagged,
        count(*) filter (
            where members.score_rank <= capacities.capacity and members.became_case
        ) as flagged_cases
    from members
    cross join capacities
    group by
        members.model_version,
        members.difficulty_type,
        capacities.capacity,
        members.member_of['kind'],
        members.member_of['label']
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
