-- The cases, measures and protections that were open when a child left, by the seed leaver_reasons; and whether they still
-- are. Grain: one row per child that left and reason.
with

leavings as (
    select * from {{ ref('int_child__leavings') }}
),

reasons as (
    select
        reasons.reason,
        ways.observation_code,
        ways.months_without_end
    from {{ ref('leaver_reasons') }} as reasons
    inner join {{ ref('known_ways') }} as ways on reasons.way = ways.way
    where ways.observation_code is not null and ways.scope = 'self'
),

barred_observations as (
    select distinct observation_code
    from {{ ref('int_observations__barred') }}
    where purpose in ('bi', 'meeting')
),

observations as (
    select * from {{ ref('int_observations__child') }}
    union all
    select * from {{ ref('int_observations__guidance_centre') }}
),

-- An end before the beginning is no end; what has none may count for some months only.
spells as (
    select
        observations.person_id,
        reasons.reason,
        observations.observed_on as began_on,
        case
            when observations.ended_on >= observations.observed_on then observations.ended_on
            when reasons.months_without_end is not null
                then (observations.observed_on + to_months(reasons.months_without_end))::date
        end as ended_on
    from observations
    inner join reasons on observations.observation_code = reasons.observation_code
    anti join barred_observations on observations.observation_code = barred_observations.observation_code
    where observations.observed_on <= {{ as_of() }}
)

select
    leavings.person_id,
    spells.reason,
    max(spells.began_on) as began_on,
    bool_or(coalesce(spells.ended_on > {{ as_of() }}, true)) as is_still_open
from leavings
inner join spells on leavings.person_id = spells.person_id
where
    -- Closed on the day of the leaving or later is closed because of it.
    coalesce(spells.ended_on >= coalesce(leavings.left_on, {{ as_of() }}), true)
group by leavings.person_id, spells.reason
