-- The child's own time line, from before birth: one row per observation of a child up to the as-of date, without
-- the months of attendance in which nothing was amiss and without what the register does not approve for BI.
with

children as (
    select * from {{ ref('bi_child') }}
),

barred_observations as (
    select observation_code
    from {{ ref('int_observations__barred') }}
    where purpose = 'bi'
),

observations as (
    select * from {{ ref('fct_observation') }}
    where
        observed_on <= {{ as_of() }}
        -- A month without an absence is no event.
        and not (source_id in ('nursery_attendance', 'school_attendance') and value = 0)
        and observation_code not in (select barred_observations.observation_code from barred_observations)
),

observation_codes as (
    select * from {{ ref('observation_codes') }}
),

holders as (
    {{ source_holders() }}
)

select
    {{ child_columns() }},
    children.is_dv_protected,
    children.tier,
    children.tier_label,
    children.difficulty_label,
    observations.observation_code,
    coalesce(observation_codes.label_ja, observations.observation_code) as observation_label,
    observations.observed_on,
    observations.ended_on,
    case
        when observations.observed_on < children.birth_on then '出生前'
        when children.birth_on is null then '出生前'
        else {{ months_between('children.birth_on', 'observations.observed_on') }} // 12 || '歳'
    end as age_then_label,
    observations.value,
    coalesce(
        observations.text_value,
        regexp_replace(round(observations.value, 1)::varchar, '\.0+$', '')
        || coalesce(observation_codes.unit_ja, ''),
        '該当'
    ) as value_label,
    observations.source_id,
    coalesce(holders.source_label, observations.source_id) as source_label,
    coalesce(holders.holder, 'child') as holder,
    coalesce(holders.holder_label, '—') as holder_label,
    observations.delivery_id,
    observations.line_number
from observations
inner join children on observations.person_id = children.person_id
left join observation_codes on observations.observation_code = observation_codes.observation_code
left join holders on observations.source_id = holders.source_id
