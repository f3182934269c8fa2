-- What of a child's circumstances may entitle it or its family to a benefit, and since when.
-- Grain: one row per child and condition.
with

children as (
    select * from {{ ref('int_child__profiles') }}
    where not is_unborn
),

persons as (
    select * from {{ ref('int_person__persons') }}
),

members as (
    select * from {{ ref('int_household__members_as_of') }}
),

partners as (
    select * from {{ ref('int_family__partners') }}
    where valid_from <= {{ as_of() }} and coalesce(valid_to > {{ as_of() }}, true)
),

barred_observations as (
    select distinct observation_code
    from {{ ref('int_observations__barred') }}
    where purpose = 'bi'
),

observations as (
    select observed.*
    from {{ ref('int_observations__all') }} as observed
    anti join barred_observations on observed.observation_code = barred_observations.observation_code
    where observed.observed_on <= {{ as_of() }}
),

parents as (
    select person_id, household_id, mother_id as parent_id from children
    where mother_id is not null
    union all
    select person_id, household_id, father_id as parent_id from children
    where father_id is not null
),

parents_here as (
    select
        parents.person_id,
        parents.parent_id
    from parents
    inner join members
        on parents.parent_id = members.person_id and parents.household_id = members.household_id
),

-- Who is married, or lives with a partner by the register, brings up no child alone, wherever the other one lives.
partnered as (
    select partners.husband_id as person_id
    from partners
    inner join persons as wives on partners.wife_id = wives.person_id
    where not coalesce(wives.is_deceased, false)
    union
    select partners.wife_id as person_id
    from partners
    inner join persons as husbands on partners.husband_id = husbands.person_id
    where not coalesce(husbands.is_deceased, false)
),

single_parents as (
    select
        parents_here.person_id,
        min(parents_here.parent_id) as parent_id
    from parents_here
    group by parents_here.person_id
    having count(*) = 1
),

of_single_parents as (
    select single_parents.person_id
    from single_parents
    anti join partnered on single_parents.parent_id = partnered.person_id
),

certificates as (
    select
        person_id,
        min(observed_on) as since_on
    from observations
    where
        observation_code = 'disability_certificate'
        and coalesce(ended_on > {{ as_of() }}, true)
    group by person_id
),

assisted as (
    select distinct person_id
    from observations
    where observation_code = 'public_assistance' and coalesce(ended_on > {{ as_of() }}, true)
),

assistance_ends as (
    select
        observations.person_id,
        max(observations.observed_on) as since_on
    from observations
    anti join assisted on observations.person_id = assisted.person_id
    where observations.observation_code = 'public_assistance_ended'
    group by observations.person_id
),

conditions as (
    select person_id, 'resident' as condition, null::date as since_on from children
    union all
    select person_id, 'single_parent' as condition, null::date as since_on from of_single_parents
    union all
    select person_id, 'certificate' as condition, since_on from certificates
    union all
    select person_id, 'assistance_ended' as condition, since_on from assistance_ends
)

select
    conditions.person_id,
    conditions.condition,
    conditions.since_on
from conditions
semi join children on conditions.person_id = children.person_id
