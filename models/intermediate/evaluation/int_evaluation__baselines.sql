-- The cohort in two orders that need no model: by the number of items met, and by the rate of cases of the area alone.
-- Grain: one row per version, difficulty type, ranking and child.
with scored as (
    select * from {{ ref('int_evaluation__scored_cohort') }}
),

frozen as (
    select * from {{ ref('int_evaluation__frozen') }}
),

coefficients as (
    select * from {{ ref('risk_coefficients') }}
),

version_items as (
    select distinct
        model_version,
        difficulty_type,
        item_code
    from coefficients
    where coefficient > 0
),

bands as (
    select
        person_id,
        unnest(bands) as band
    from frozen
),

items_met as (
    select
        version_items.model_version,
        version_items.difficulty_type,
        bands.person_id,
        count(distinct version_items.item_code) as items
    from bands
    inner join version_items on bands.band['item_code'] = version_items.item_code
    group by version_items.model_version, version_items.difficulty_type, bands.person_id
),

-- Of the same twelve months: the most that an area can tell.
area_rates as (
    select
        model_version,
        difficulty_type,
        area_code,
        avg(cast(became_case as integer)) as case_rate
    from scored
    group by model_version, difficulty_type, area_code
),

orders as (
    select
        scored.model_version,
        scored.difficulty_type,
        scored.person_id,
        scored.is_flagged,
        scored.became_case,
        unnest([
            { 'ranking': 'item_count', 'value': cast(coalesce(items_met.items, 0) as double) },
            { 'ranking': 'area_rate', 'value': area_rates.case_rate }
        ]) as placed
    from scored
    inner join area_rates
        on
            scored.model_version = area_rates.model_version
            and scored.difficulty_type = area_rates.difficulty_type
            and scored.area_code = area_rates.area_code
    left join items_met
        on
            scored.model_version = items_met.model_version
            and scored.difficulty_type = items_met.difficulty_type
            and scored.person_id = items_met.person_id
),

ordered as (
    select
        model_version,
        difficulty_type,
        placed['ranking'] as ranking,
        person_id,
        is_flagged,
        became_case,
        placed['value'] as ranking_value
    from orders
)

select
    *,
    rank() over (
        partition by model_version, difficulty_type, ranking
        order by ranking_value desc
    ) - 1 as children_before,
    count(*) over (partition by model_version, difficulty_type, ranking, ranking_value) as children_alike
from ordered
