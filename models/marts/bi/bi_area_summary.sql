-- Children by area and tier, for staff: one row per difficulty type, area (and the whole city) and tier (and all
-- tiers). Counts under 5 are hidden, and with them as many others as keep them from being worked out from the totals.
-- For staff; the community partner has rounded counts instead (kodomo/publication/rounding.py).
{% set passes = 8 %}
with

counts as (
    select * from {{ ref('fct_area_count') }}
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

-- The totals are cells like any other: without them nothing could be worked out, and with them everything can.
areas_and_city as (
    select difficulty_type, area_code, tier, tier_rank, children, unknown_children from counts
    union all
    select difficulty_type, 'total' as area_code, tier, tier_rank, children, unknown_children from counts
),

cells_and_totals as (
    select difficulty_type, area_code, tier, children from areas_and_city
    union all
    select difficulty_type, area_code, 'total' as tier, children from areas_and_city
),

counted as (
    select difficulty_type, area_code, tier, sum(children) as children
    from cells_and_totals
    group by difficulty_type, area_code, tier
),

present as (
    select distinct difficulty_type from counted
),

-- Every cell of the table, empty ones too: a missing cell would reveal a zero.
cells as (
    select
        present.difficulty_type,
        areas.area_code,
        tiers.tier,
        coalesce(counted.children, 0)::integer as children,
        coalesce(counted.children, 0) < {{ var('smallest_count') }} as is_hidden
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
{% endfor %},

-- Of the children at risk, whom no service knows, by area and in the whole city. A reader of the tiers can subtract
-- them from those: a count stands only where both its tiers are shown, and where neither it nor the rest is under 5.
at_risk as (
    select area_code, sum(children) as at_risk, sum(unknown_children) as unknown
    from areas_and_city
    where difficulty_type = 'overall' and tier_rank >= 2
    group by area_code
),

tiers_shown as (
    select shown.area_code, bool_or(shown.is_hidden) as is_any_hidden
    from columns_{{ passes - 1 }} as shown
    inner join tiers on shown.tier = tiers.tier
    where shown.difficulty_type = 'overall' and tiers.tier_rank >= 2
    group by shown.area_code
),

unknown_cells as (
    select
        areas.area_code,
        coalesce(at_risk.unknown, 0)::integer as unknown,
        coalesce(at_risk.at_risk - at_risk.unknown, 0)::integer as known,
        least(coalesce(at_risk.unknown, 0), coalesce(at_risk.at_risk - at_risk.unknown, 0))
        < {{ var('smallest_count') }}
        or coalesce(tiers_shown.is_any_hidden, true) as is_hidden
    from areas
    left join at_risk on areas.area_code = at_risk.area_code
    left join tiers_shown on areas.area_code = tiers_shown.area_code
),

unknown_shown as (
    -- the total being shown, what is hidden must not be worked out from it: one more is hidden then
    select
        area_code,
        unknown,
        is_hidden
        or (
            count(*) filter (where is_hidden) over () > 0
            and not bool_or(is_hidden and area_code = 'total') over ()
            and (
                count(*) filter (where is_hidden) over () = 1
                or sum(unknown) filter (where is_hidden) over () < {{ var('smallest_count') }}
                or sum(known) filter (where is_hidden) over () < {{ var('smallest_count') }}
            )
            and row_number() over (order by is_hidden, unknown, area_code) = 1
        ) as is_hidden
    from unknown_cells
)

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
    -- Aligned on the right, so that the column sorts by its number.
    case
        when shown.is_hidden then '秘匿'
        else lpad(format('{:,}', shown.children), 9, ' ')
    end as children_label,
    shown.is_hidden,
    -- Children of the high and latent tiers whom no service knows: on the rows of all tiers, of all difficulty types.
    case
        when shown.difficulty_type = 'overall' and shown.tier = 'total' and not unknown_shown.is_hidden
            then unknown_shown.unknown
    end as unknown_children,
    case
        when shown.difficulty_type <> 'overall' or shown.tier <> 'total' then '—'
        when unknown_shown.is_hidden then '秘匿'
        else lpad(format('{:,}', unknown_shown.unknown), 9, ' ')
    end as unknown_label
from columns_{{ passes - 1 }} as shown
inner join unknown_shown on shown.area_code = unknown_shown.area_code
inner join difficulties on shown.difficulty_type = difficulties.difficulty_type
inner join areas on shown.area_code = areas.area_code
inner join tiers on shown.tier = tiers.tier
