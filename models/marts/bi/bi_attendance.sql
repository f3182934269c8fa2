-- Months of attendance, those without an absence too: one row per child, source and month.
with

children as (
    select * from {{ ref('bi_child') }}
),

barred_observations as (
    select observation_code
    from {{ ref('int_observations__barred') }}
    where purpose = 'bi'
),

-- The shares of days missed: the months of a nursery and of a school are of one kind then.
rate_codes as (
    select * from {{ ref('observation_codes') }}
    where source_id in ('nursery_attendance', 'school_attendance') and unit_ja = '%'
),

rates as (
    select * from {{ ref('fct_observation') }}
    where observed_on <= {{ as_of() }} and value is not null
),

holders as (
    {{ source_holders() }}
)

select
    {{ child_columns() }},
    children.is_dv_protected,
    rates.observed_on as month_on,
    rate_codes.label_ja as observation_label,
    max(rates.value)::decimal(18, 6) as absence_rate,
    rates.source_id,
    coalesce(holders.source_label, rates.source_id) as source_label,
    coalesce(holders.holder, 'child') as holder,
    coalesce(holders.holder_label, '—') as holder_label
from rates
inner join rate_codes on rates.observation_code = rate_codes.observation_code
anti join barred_observations on rates.observation_code = barred_observations.observation_code
inner join children on rates.person_id = children.person_id
left join holders on rates.source_id = holders.source_id
group by all
