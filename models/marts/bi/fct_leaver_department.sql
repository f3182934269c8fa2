-- Which department's duties concern which child that left, and why: the seed department_scopes, applied to the age, the
-- household and the tier that the child had then.
with

scopes as (
    select * from {{ ref('department_scopes') }}
),

persons as (
    select * from {{ ref('dim_person') }}
),

leavers as (
    select
        leavers.person_id,
        leavers.tier,
        {{ months_between('persons.birth_on', 'coalesce(leavers.left_on, leavers.as_of_on)') }} as age_months
    from {{ ref('fct_leaver') }} as leavers
    inner join persons on leavers.person_id = persons.person_id
),

families as (
    select * from {{ ref('int_child__leaver_families') }}
    where was_in_household
),

holders as (
    {{ source_holders() }}
),

recorded_people as (
    select distinct
        holders.holder,
        observations.person_id
    from {{ ref('fct_observation') }} as observations
    inner join holders on observations.source_id = holders.source_id
),

household_members as (
    select person_id, person_id as member_id from leavers
    union
    select person_id, relative_id as member_id from families
),

everybody as (
    select scopes.department, leavers.person_id, scopes.rule
    from scopes
    cross join leavers
    where scopes.rule = 'all'
),

-- On the birthday itself a child is a month past the last age of any scope.
by_age as (
    select scopes.department, leavers.person_id, scopes.rule
    from scopes
    inner join leavers
        on
            coalesce(scopes.age_from_months <= leavers.age_months, true)
            and coalesce(
                scopes.age_to_months > least(leavers.age_months, {{ var('childhood_months') }} - 1), true
            )
    where scopes.rule = 'age'
),

by_record as (
    select scopes.department, leavers.person_id, scopes.rule
    from scopes
    inner join recorded_people on scopes.department = recorded_people.holder
    inner join leavers on recorded_people.person_id = leavers.person_id
    where scopes.rule = 'records'
),

by_household_record as (
    select distinct scopes.department, leavers.person_id, scopes.rule
    from scopes
    inner join recorded_people on scopes.department = recorded_people.holder
    inner join household_members on recorded_people.person_id = household_members.member_id
    inner join leavers on household_members.person_id = leavers.person_id
    where scopes.rule = 'household_records'
),

by_tier as (
    select scopes.department, leavers.person_id, scopes.rule
    from scopes
    inner join leavers on scopes.tier = leavers.tier
    where scopes.rule = 'tier'
),

concerned as (
    select * from everybody
    union all
    select * from by_age
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
group by person_id, department
