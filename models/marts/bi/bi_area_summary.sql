-- Children by area and tier, for everybody: one row per difficulty type, area (and the whole city) and tier (and all
-- tiers). Counts under 5 are hidden, and with them as many others as keep them from being worked out from the totals.
-- People under a support measure are in no count: a count of one would tell where they are.
{% set passes = 8 %}
with

children as (
    select person_id, area_code, tier, is_unknown_risk, tier_rank >= 2 as is_at_risk
    from {{ ref('bi_child') }}
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

-- Every cell of the table, empty ones too: a missing cell would reveal a zero.
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
{% endfor %},

-- Of the children at risk, whom no service knows, by area and in the whole city. A reader of the tiers can subtract
-- them from those: a count stands only where both its tiers are shown, and where neither it nor the rest is under 5.
at_risk as (
    select area_code, count(*) as at_risk, count(*) filter (where is_unknown_risk) as unknown
    from children
    where area_code is not null and is_at_risk
    group by area_code
    union all
    select 'total' as area_code, count(*) as at_risk, count(*) filter (where is_unknown_risk) as unknown
    from children
    where area_code is not null and is_at_risk
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
        least(coalesce(at_risk.unknown, 0), coalesce(at_risk.at_risk - at_risk.unknown, 0)) < 5
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
                or sum(unknown) filter (where is_hidden) over () < 5
                or sum(known) filter (where is_hidden) over () < 5
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
