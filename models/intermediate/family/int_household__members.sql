-- Periods of belonging to a household, whatever the relation to its head. Half-open: the day of valid_to is out.
-- Grain: one row per household, person and uninterrupted period.
with

spells as (
    select * from {{ ref('int_household__spells') }}
),

ordered as (
    select
        *,
        max(coalesce(valid_to, date '9999-12-31')) over (
            partition by household_id, person_id order by valid_from, valid_to
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from spells
),

numbered as (
    select
        *,
        sum(case when covered_until >= valid_from then 0 else 1 end) over (
            partition by household_id, person_id order by valid_from, valid_to
        ) as period_no
    from ordered
)

select
    household_id,
    person_id,
    min(valid_from) as valid_from,
    case when bool_or(valid_to is null) then null else max(valid_to) end as valid_to
from numbered
group by household_id, person_id, period_no
