-- Which department's duties concern which child, and why: the seed department_scopes, applied.
with

scopes as (
    select * from {{ ref('department_scopes') }}
),

children as (
    select * from {{ ref('dim_child') }}
),

enrolled as (
    select person_id from {{ ref('int_child__facilities') }}
),

household_members as (
    select household_id, person_id from {{ ref('int_household__members_as_of') }}
),

holders as (
    {{ source_holders() }}
),

-- Everyone who is in the records of a department.
recorded_people as (
    select distinct
        holders.holder,
        observations.person_id
    from {{ ref('fct_observation') }} as observations
    inner join holders on observations.source_id = holders.source_id
),

tiers as (
    select person_id, tier
    from {{ ref('fct_support_priority') }}
    where as_of_on = {{ as_of() }}
),

everybody as (
    select scopes.department, children.person_id, scopes.rule
    from scopes
    cross join children
    where scopes.rule = 'all'
),

by_age as (
    select scopes.department, children.person_id, scopes.rule
    from scopes
    inner join children
        on
            coalesce(scopes.age_from_months <= children.age_months, true)
            and coalesce(scopes.age_to_months > children.age_months, true)
    where scopes.rule = 'age'
),

by_enrolment as (
    select scopes.department, children.person_id, scopes.rule
    from scopes
    cross join children
    inner join enrolled on children.person_id = enrolled.person_id
    where scopes.rule = 'enrolled'
),

by_record as (
    select scopes.department, children.person_id, scopes.rule
    from scopes
    inner join recorded_people on scopes.department = recorded_people.holder
    inner join children on recorded_people.person_id = children.person_id
    where scopes.rule = 'records'
),

by_household_record as (
    select distinct scopes.department, children.person_id, scopes.rule
    from scopes
    inner join recorded_people on scopes.department = recorded_people.holder
    inner join household_members on recorded_people.person_id = household_members.person_id
    inner join children on household_members.household_id = children.household_id
    where scopes.rule = 'household_records'
),

by_tier as (
    select scopes.department, children.person_id, scopes.rule
    from scopes
    inner join tiers on scopes.tier = tiers.tier
    inner join children on tiers.person_id = children.person_id
    where scopes.rule = 'tier'
),

concerned as (
    select * from everybody
    union all
    select * from by_age
    union all
    select * from by_enrolment
    union all
    select * from by_record
    union all
    select * from by_household_record
    union all
    select * from by_tier
)

select
    person_id,
    department,
    string_agg(distinct rule, ',' order by rule) as rules
from concerned
group by all
