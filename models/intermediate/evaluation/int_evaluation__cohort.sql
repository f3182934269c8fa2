-- Who could become a case of a difficulty type within twelve months of the freeze, who did, and when. People already
-- known are left out. Grain: one row per difficulty type and child.
with frozen as (
    select * from {{ ref('int_evaluation__frozen') }}
),

outcomes as (
    select * from {{ ref('risk_outcomes') }}
),

observations as (
    select * from {{ ref('int_observations__all') }}
),

at_risk as (
    select distinct
        outcomes.difficulty_type,
        frozen.person_id
    from frozen
    inner join outcomes
        on
            (outcomes.age_from_months is null or frozen.age_months >= outcomes.age_from_months)
            and (outcomes.age_to_months is null or frozen.age_months < outcomes.age_to_months)
),

members as (
    select
        person_id,
        frozen_on,
        outcome_until,
        age_months,
        'self' as scope,
        current_person_id as member_id
    from frozen
    union all
    select
        person_id,
        frozen_on,
        outcome_until,
        age_months,
        'household' as scope,
        unnest(household_members) as member_id
    from frozen
),

outcome_observations as (
    select
        outcomes.difficulty_type,
        outcomes.observation_code,
        outcomes.aggregate,
        outcomes.at_least,
        members.person_id,
        observations.value,
        observations.observed_on,
        observations.observed_on > members.frozen_on as is_after,
        observations.observed_on > members.frozen_on - interval 12 month as is_within_a_year
    from observations
    inner join outcomes
        on
            observations.observation_code = outcomes.observation_code
            and (outcomes.text_value is null or observations.text_value = outcomes.text_value)
    inner join members
        on
            observations.person_id = members.member_id
            and outcomes.scope = members.scope
            and observations.observed_on <= members.outcome_until
            and (outcomes.age_from_months is null or outcomes.age_from_months <= members.age_months)
            and (outcomes.age_to_months is null or outcomes.age_to_months > members.age_months)
),

running as (
    select
        *,
        sum(value) filter (where is_within_a_year) over (
            partition by difficulty_type, observation_code, person_id, is_after
            order by observed_on
        ) as value_until
    from outcome_observations
),

judged as (
    -- a sum is that of twelve months, before the freeze as after it
    select
        difficulty_type,
        person_id,
        is_after,
        case any_value(aggregate)
            when 'any' then true
            when 'max' then max(value) >= any_value(at_least)
            when 'sum' then sum(value) filter (where is_within_a_year) >= any_value(at_least)
        end as is_case,
        min(observed_on) filter (
            where case aggregate
                when 'any' then true
                when 'max' then value >= at_least
                when 'sum' then value_until >= at_least
            end
        ) as reached_on
    from running
    group by difficulty_type, observation_code, person_id, is_after
),

cases as (
    select
        difficulty_type,
        person_id,
        bool_or(is_case and not is_after) as was_known,
        bool_or(is_case and is_after) as became_case,
        min(reached_on) filter (where is_case and is_after) as became_case_on
    from judged
    group by difficulty_type, person_id
)

select
    at_risk.difficulty_type,
    at_risk.person_id,
    coalesce(cases.became_case, false) as became_case,
    cases.became_case_on
from at_risk
left join cases
    on at_risk.difficulty_type = cases.difficulty_type and at_risk.person_id = cases.person_id
where not coalesce(cases.was_known, false)
