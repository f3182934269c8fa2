-- By what a service knows each child on the as-of date. Grain: one row per child and way.
with

children as (
    select person_id from {{ ref('int_person__subjects') }}
),

parents as (
    select * from {{ ref('int_family__parents_as_of') }}
),

ways as (
    select * from {{ ref('known_ways') }}
),

barred_observations as (
    select observation_code
    from {{ ref('int_observations__barred') }}
    where purpose = 'determination'
),

supports as (
    select * from {{ source('entry', 'supports') }}
    where started_on is not null
),

births as (
    select
        'preg-' || source_key as unborn_id,
        person_id
    from {{ ref('int_person__identities') }}
    where source_id = 'pregnancy_notifications'
),

observations as (
    select * from {{ ref('int_observations__child') }}
    union all
    select * from {{ ref('int_observations__guidance_centre') }}
),

observed as (
    select
        ways.way,
        ways.scope,
        ways.months_without_end,
        observations.person_id,
        observations.source_id,
        observations.observed_on as began_on,
        observations.ended_on
    from observations
    inner join ways on observations.observation_code = ways.observation_code
    anti join barred_observations on observations.observation_code = barred_observations.observation_code
),

supported as (
    -- A support that was recorded before the birth is the child's.
    select
        ways.way,
        ways.scope,
        ways.months_without_end,
        coalesce(births.person_id, supports.person_id) as person_id,
        cast(null as varchar) as source_id,
        supports.started_on as began_on,
        supports.ended_on
    from supports
    inner join ways on ways.observation_code is null
    left join births on supports.person_id = births.unborn_id
),

facts as (
    select * from observed
    union all
    select * from supported
),

in_force as (
    -- An end before the beginning is no end.
    select *
    from facts
    where
        began_on <= {{ as_of() }}
        and case
            when ended_on >= began_on then ended_on > {{ as_of() }}
            else
                months_without_end is null
                or began_on > {{ as_of() }} - to_months(months_without_end)
        end
),

members as (
    select
        person_id,
        'self' as scope,
        person_id as member_id
    from children
    union all
    select
        person_id,
        'parents' as scope,
        mother_id as member_id
    from parents
    where mother_id is not null
    union all
    select
        person_id,
        'parents' as scope,
        father_id as member_id
    from parents
    where father_id is not null
)

select
    members.person_id,
    in_force.way,
    max(in_force.began_on) as known_on,
    arg_max(in_force.source_id, in_force.began_on) as source_id
from in_force
inner join members on in_force.person_id = members.member_id and in_force.scope = members.scope
group by members.person_id, in_force.way
