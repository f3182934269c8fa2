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

frozen as (
    select
        min(frozen_on) as frozen_on,
        min(outcome_until) as outcome_until
    from {{ ref('int_evaluation__frozen') }}
),

group_members as (
    select * from {{ ref('int_evaluation__group_members') }}
),

capacities as (
    select * from {{ ref('meeting_capacities') }}
),

counted as (
    select
        model_version,
        difficulty_type,
        group_kind,
        group_value,
        count(*) as people,
        count(*) filter (where became_case) as cases,
        count(*) filter (where is_flagged) as flagged,
        count(*) filter (where is_flagged and became_case) as flagged_cases,
        avg(completeness) as completeness
    from group_members
    group by model_version, difficulty_type, group_kind, group_value
),

at_capacity as (
    -- whom the meeting would see: the k highest scores
    select
        scored.model_version,
        scored.difficulty_type,
        'capacity' as group_kind,
        cast(capacities.capacity as varchar) as group_value,
        count(*) as people,
        count(*) filter (where scored.became_case) as cases,
        count(*) filter (where scored.score_rank <= capacities.capacity) as flagged,
        count(*) filter (
            where scored.score_rank <= capacities.capacity and scored.became_case
        ) as flagged_cases,
        avg(scored.completeness) as completeness
    from scored
    cross join capacities
    group by scored.model_version, scored.difficulty_type, capacities.capacity
),

groups as (
    select * from counted
    union all
    select * from at_capacity
),

rates as (
    select
        *,
        unnest([
            { 'measure': 'case_rate', 'part': cases, 'whole': people },
            { 'measure': 'ppv', 'part': flagged_cases, 'whole': flagged },
            { 'measure': 'recall', 'part': flagged_cases, 'whole': cases },
            { 'measure': 'false_positive_rate', 'part': flagged - flagged_cases, 'whole': people - cases },
            { 'measure': 'false_negative_rate', 'part': cases - flagged_cases, 'whole': cases }
        ]) as rate
    from groups
),

named_rates as (
    select
        *,
        rate['measure'] as measure,
        rate['part'] as part,
        rate['whole'] as whole
    from rates
),

shares as (
    select
        model_version,
        difficulty_type,
        measure,
        group_kind,
        group_value,
        people,
        cases,
        flagged,
        flagged_cases,
        part / nullif(whole, 0) as measured,
        {{ wilson('part', 'whole', '-') }} as measured_low,
        {{ wilson('part', 'whole', '+') }} as measured_high,
        whole as base
    from named_rates
    -- who is flagged is the same within a tier, and nearly so within a band of scores
    where measure = 'case_rate' or group_kind not in ('tier', 'score_band')
),

lifts as (
    -- the interval of the lift is that of the precision over the overall rate
    select
        model_version,
        difficulty_type,
        'lift' as measure,
        group_kind,
        group_value,
        people,
        cases,
        flagged,
        flagged_cases,
        flagged_cases / nullif(flagged, 0) / nullif(cases / people, 0) as measured,
        {{ wilson('flagged_cases', 'flagged', '-') }} / nullif(cases / people, 0) as measured_low,
        {{ wilson('flagged_cases', 'flagged', '+') }} / nullif(cases / people, 0) as measured_high,
        flagged as base
    from groups
    where group_kind in ('all', 'capacity')
),

completeness as (
    select
        model_version,
        difficulty_type,
        'completeness' as measure,
        group_kind,
        group_value,
        people,
        cases,
        flagged,
        flagged_cases,
        completeness as measured,
        cast(null as double) as measured_low,
        cast(null as double) as measured_high,
        people as base
    from counted
),

ranked as (
    select
        model_version,
        difficulty_type,
        became_case,
        is_flagged,
        -- equal scores share the middle of their ranks
        rank() over by_score + (count(*) over same_score - 1) / 2 as middle_rank
    from scored
    window
        by_score as (partition by model_version, difficulty_type order by score),
        same_score as (partition by model_version, difficulty_type, score)
),

rank_sums as (
    select
        model_version,
        difficulty_type,
        count(*) as people,
        count(*) filter (where became_case) as cases,
        count(*) filter (where is_flagged) as flagged,
        count(*) filter (where is_flagged and became_case) as flagged_cases,
        sum(middle_rank) filter (where became_case) as case_ranks
    from ranked
    group by model_version, difficulty_type
),

areas_under_curve as (
    select
        *,
        (case_ranks - cases * (cases + 1) / 2) / nullif(cast(cases as double) * (people - cases), 0) as auc
    from rank_sums
),

aucs as (
    -- Hanley and McNeil (1982)
    select
        model_version,
        difficulty_type,
        'auc' as measure,
        'all' as group_kind,
        '全体' as group_value,
        people,
        cases,
        flagged,
        flagged_cases,
        auc as measured,
        greatest(0, auc - 1.959964 * sqrt((
            auc * (1 - auc)
            + (cases - 1) * (auc / (2 - auc) - auc * auc)
            + (people - cases - 1) * (2 * auc * auc / (1 + auc) - auc * auc)
        ) / (cast(cases as double) * (people - cases)))) as measured_low,
        least(1, auc + 1.959964 * sqrt((
            auc * (1 - auc)
            + (cases - 1) * (auc / (2 - auc) - auc * auc)
            + (people - cases - 1) * (2 * auc * auc / (1 + auc) - auc * auc)
        ) / (cast(cases as double) * (people - cases)))) as measured_high,
        people as base
    from areas_under_curve
    where auc is not null
),

final as (
    select * from shares
    union all
    select * from lifts
    union all
    select * from completeness
    union all
    select * from aucs
)

select
    {{ as_of() }} as as_of_on,
    final.model_version,
    final.difficulty_type,
    final.measure,
    final.group_kind,
    final.group_value,
    final.measured as measure_value,
    final.measured_low as value_low,
    final.measured_high as value_high,
    final.base,
    final.people,
    final.cases,
    final.flagged,
    final.flagged_cases,
    frozen.frozen_on,
    frozen.outcome_until
from final
cross join frozen
