-- Children by area and tier, for everybody: one row per difficulty type, area (and the whole city) and tier (and all
-- tiers). Counts under 5 are hidden, and with them as many others as keep them from being worked out from the totals.
-- People under a support measure are in no count: a count of one would tell where they are.
{% set passes = 8 %}
with

children as (
    select person_id, area_code, tier from {{ ref('bi_child') }}
    where not is_dv_protected
),

child_tiers as (
    select person_id, area_code, difficulty_type, tier from {{ ref('bi_child_tier') }}
    where is_active_version and not is_dv_protected
),

areas as (
    select area_code, area_name_ja, sort_order from {{ ref('areas') }}
    union all
    select 'total' as area_code, '全市' as area_name_ja, 0 as sort_order
),

tiers as (
    select tier, any_value(label_ja) as tier_label, max(tier_rank) as tier_rank
    from {{ ref('risk_tiers') }}
    group by all
    union all
    select 'total' as tier, '計' as tier_label, 0 as tier_rank
),

difficulties as (
    select difficulty_type, label_ja, sort_order from {{ ref('difficulty_types') }}
    union all
    select 'overall' as difficulty_type, '総合' as label_ja, 0 as sort_order
),

rows_of_both as (
    select 'overall' as difficulty_type, area_code, tier from children
    union all
    select difficulty_type, area_code, tier from child_tiers
),

-- The totals are cells like any other: without them nothing could be worked out, and with them everything can.
cells_and_totals as (
    select difficulty_type, area_code, tier from rows_of_both
    where area_code is not null and tier is not null
    union all
    select difficulty_type, 'total' as area_code, tier from rows_of_both
    where area_code is not null and tier is not null
    union all
    select difficulty_type, area_code, 'total' as tier from rows_of_both
    where area_code is not null and tier is not null
    union all
    select difficulty_type, 'total' as area_code, 'total' as tier from rows_of_both
    where area_code is not null and tier is not null
),

counted as (
    select difficulty_type, area_code, tier, count(*) as children
    from cells_and_totals
    group by all
),

present as (
    select distinct difficulty_type from counted
),

-- Every cell of the table, those nobody is in too: an empty place would say so.
cells as (
    select
        present.difficulty_type,
        areas.area_code,
        tiers.tier,
        coalesce(counted.children, 0)::integer as children,
        coalesce(counted.children, 0) < 5 as is_hidden
    from present
    cross join areas
    cross join tiers
    left join counted
        on
            present.difficulty_type = counted.difficulty_type
            and areas.area_code = counted.area_code
            and tiers.tier = counted.tier
),

{% for pass in range(passes) %}
    rows_{{ pass }} as (
        {{ suppress_line('cells' if loop.first else 'columns_' ~ (pass - 1), 'area_code', 'tier') }}
    ),

    columns_{{ pass }} as (
        {{ suppress_line('rows_' ~ pass, 'tier', 'area_code') }}
    ){{ ',' if not loop.last }}
{% endfor %}

select
    {{ as_of() }} as as_of_on,
    shown.difficulty_type,
    difficulties.label_ja as difficulty_label,
    difficulties.sort_order as difficulty_order,
    shown.area_code,
    areas.area_name_ja as area_name,
    areas.sort_order as area_order,
    shown.tier,
    tiers.tier_label,
    tiers.tier_rank,
    shown.area_code = 'total' or shown.tier = 'total' as is_total,
    case when not shown.is_hidden then shown.children end as children,
    case when shown.is_hidden then '秘匿' else shown.children::varchar end as children_label,
    shown.is_hidden
from columns_{{ passes - 1 }} as shown
inner join difficulties on shown.difficulty_type = difficulties.difficulty_type
inner join areas on shown.area_code = areas.area_code
inner join tiers on shown.tier = tiers.tier
