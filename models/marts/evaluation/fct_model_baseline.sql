-- Other as-of dates stay: a run replaces the rows of its own date only.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook='{{ replace_rows_of_this_date() }}'
    )
}}

with ordered as (
    select * from {{ ref('int_evaluation__baselines') }}
),

capacities as (
    select * from {{ ref('meeting_capacities') }}
),

rankings as (
    select
        model_version,
        difficulty_type,
        ranking,
        count(*) filter (where is_flagged) as flagged
    from ordered
    group by model_version, difficulty_type, ranking
),

-- As many children as the version flags, and as the meeting can see.
places as (
    select
        model_version,
        difficulty_type,
        ranking,
        'all' as group_kind,
        '全体' as group_value,
        flagged as places
    from rankings
    union all
    select
        rankings.model_version,
        rankings.difficulty_type,
        rankings.ranking,
        'capacity' as group_kind,
        cast(capacities.capacity as varchar) as group_value,
        capacities.capacity as places
    from rankings
    cross join capacities
),

flagged as (
    -- children alike share the places that are left
    select
        ordered.model_version,
        ordered.difficulty_type,
        ordered.ranking,
        places.group_kind,
        places.group_value,
        ordered.became_case,
        least(1, greatest(0, (places.places - ordered.children_before) / ordered.children_alike)) as share
    from ordered
    inner join places
        on
            ordered.model_version = places.model_version
            and ordered.difficulty_type = places.difficulty_type
            and ordered.ranking = places.ranking
),

counted as (
    select
        model_version,
        difficulty_type,
        ranking,
        group_kind,
        group_value,
        count(*) as people,
        count(*) filter (where became_case) as cases,
        sum(share) as flagged,
        coalesce(sum(share) filter (where became_case), 0) as flagged_cases
    from flagged
    group by model_version, difficulty_type, ranking, group_kind, group_value
),

rates as (
    select
        *,
        unnest([
            { 'measure': 'ppv', 'value': flagged_cases / nullif(flagged, 0) },
            { 'measure': 'recall', 'value': flagged_cases / nullif(cases, 0) },
            { 'measure': 'lift', 'value': flagged_cases / nullif(flagged, 0) / nullif(cases / people, 0) },
            {
                'measure': 'false_positive_rate',
                'value': (flagged - flagged_cases) / nullif(people - cases, 0)
            },
            { 'measure': 'false_negative_rate', 'value': (cases - flagged_cases) / nullif(cases, 0) }
        ]) as rate
    from counted
),

rank_sums as (
    select
        model_version,
        difficulty_type,
        ranking,
        count(*) as people,
        count(*) filter (where became_case) as cases,
        -- from the end of the order; children alike share the middle of their ranks
        sum(children_before + (children_alike + 1) / 2) filter (where became_case) as case_ranks
    from ordered
    group by model_version, difficulty_type, ranking
),

final as (
    select
        model_version,
        difficulty_type,
        ranking,
        rate['measure'] as measure,
        group_kind,
        group_value,
        rate['value'] as measure_value
    from rates
    union all
    select
        model_version,
        difficulty_type,
        ranking,
        'auc' as measure,
        'all' as group_kind,
        '全体' as group_value,
        1 - (case_ranks - cases * (cases + 1) / 2) / nullif(cast(cases as double) * (people - cases), 0)
            as measure_value
    from rank_sums
)

select
    {{ as_of() }} as as_of_on,
    model_version,
    difficulty_type,
    ranking,
    measure,
    group_kind,
    group_value,
    measure_value
from final
where measure_value is not null
