with subjects as (
    select * from {{ ref('int_risk__subjects') }}
),

observations as (
    select * from {{ ref('int_observations__all') }}
    where observed_on <= {{ as_of() }}
),

coverage as (
    {{ source_coverage() }}
),

roster_observations as (
    {{ roster_observations() }}
),

household_history as (
    select * from {{ ref('stg_citizens__household_history') }}
),

atena as (
    select * from {{ ref('int_person__atena') }}
),

observed as (
    select
        observations.person_id,
        coverage.source_id
    from observations
    inner join roster_observations
        on
            observations.source_id = roster_observations.source_id
            and observations.observation_code = roster_observations.observation_code
    inner join coverage on roster_observations.source_id = coverage.source_id and coverage.is_roster
    where
        -- of these two the rows themselves are looked at: an observation tells of a change only
        coverage.source_id not in ('resident_register', 'household_history')
        and case
            when observations.ended_on is not null then observations.ended_on > {{ as_of() }}
            else
                coverage.lasts_months is null
                or observations.observed_on > {{ as_of() }} - to_months(coverage.lasts_months)
        end
),

registered as (
    -- a child who is born is a subject because the register has it
    select
        person_id,
        'resident_register' as source_id
    from subjects
    where age_months is null or age_months >= 0
),

numbers as (
    select
        atena.person_id,
        atena.atena_no
    from atena
    semi join subjects on atena.person_id = subjects.person_id
),

in_households as (
    select
        numbers.person_id,
        'household_history' as source_id
    from household_history
    inner join numbers on household_history.atena_no = numbers.atena_no
    where
        household_history.valid_from <= {{ as_of() }}
        and coalesce(household_history.valid_to > {{ as_of() }}, true)
),

members as (
    select * from observed
    union
    select * from registered
    union
    select * from in_households
)

select
    members.person_id,
    members.source_id
from members
semi join subjects on members.person_id = subjects.person_id
