-- How the counts of an area moved, as the area summary showed them at each as-of date.
-- One row per as-of date, area (and the whole city) and tier (and all tiers), over all difficulty types.
with

history as (
    select * from {{ ref('fct_area_history') }}
    where as_of_on <= {{ as_of() }}
),

-- Names and order as they are today.
summary as (
    select * from {{ ref('bi_area_summary') }}
    where difficulty_type = 'overall'
)

select
    summary.as_of_on,
    history.as_of_on as counted_on,
    history.area_code,
    summary.area_name,
    summary.area_order,
    history.tier,
    summary.tier_label,
    summary.tier_rank,
    history.children,
    case when history.is_hidden then '秘匿' else format('{:,}', history.children) end as children_label,
    history.is_hidden
from history
inner join summary on history.area_code = summary.area_code and history.tier = summary.tier
