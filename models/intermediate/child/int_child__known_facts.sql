-- What let a service know of each child, whether it still does or not. Grain: one row per child, way, source, first
-- and last day.
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

select distinct
    members.person_id,
    facts.way,
    facts.months_without_end,
    facts.source_id,
    facts.began_on,
    facts.ended_on
from facts
inner join members on facts.person_id = members.member_id and facts.scope = members.scope
where facts.began_on <= {{ as_of() }}
