-- How far children came, in words: one row per quarter, way and stage. Numbers of the whole city; one below five is
-- not shown, nor are the stages of fewer than five children.
with

funnels as (
    select
        *,
        identified_children < 5 as is_too_few,
        identified_children < 5 or children between 1 and 4 as is_hidden
    from {{ ref('fct_support_funnel') }}
),

ways as (
    select * from {{ ref('known_ways') }}
)

select
    funnels.identified_quarter,
    year(funnels.identified_quarter) || '年' || month(funnels.identified_quarter) || '〜'
    || month(funnels.identified_quarter) + 2 || '月' as quarter_label,
    funnels.way,
    coalesce(ways.label_ja, 'スコアのみ') as way_label,
    coalesce(ways.sort_order, 0) as way_order,
    funnels.stage,
    {{ label_of('funnel_stage', 'funnels.stage') }} as stage_label,
    funnels.stage_no,
    case when not funnels.is_too_few then funnels.identified_children::integer end as identified_children,
    case when not funnels.is_hidden then funnels.children::integer end as children,
    case when funnels.is_hidden then '5人未満' else funnels.children::varchar end as children_label,
    case
        when funnels.is_too_few then '把握が5人未満のため出しません'
        when funnels.is_hidden then '5人未満のため出しません'
        else
            round(funnels.share * 100)::integer || '%（95%信頼区間 ' || round(funnels.share_low * 100)::integer
            || '〜' || round(funnels.share_high * 100)::integer || '%）'
    end as share_label,
    case
        when not funnels.is_hidden and funnels.stage_no > 1 then funnels.median_days
    end as median_days
from funnels
left join ways on funnels.way = ways.way
