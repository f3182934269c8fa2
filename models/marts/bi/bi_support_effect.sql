-- What came of decisions and support, in words: one row per measure, group and second group. Numbers of the whole
-- city; where fewer than five were looked at there is none.
with

effects as (
    select
        *,
        people < 5 as is_hidden
    from {{ ref('fct_support_effect') }}
)

select
    measure,
    case measure
        when 'days_to_support' then '把握から支援までの日数'
        when 'decision_by_tier' then '段階ごとの会議の決定'
        when 'disagreement_by_item' then '項目ごとの不同意の割合'
        when 'item_named_in_disagreement' then '不同意の理由に挙がった項目'
        when 'tier_fell_after_support' then '支援の前後で段階が下がった割合'
        else measure
    end as measure_label,
    case measure
        when 'days_to_support' then 1
        when 'decision_by_tier' then 2
        when 'tier_fell_after_support' then 3
        when 'disagreement_by_item' then 4
        else 5
    end as measure_order,
    group_code,
    group_label,
    second_code,
    second_label,
    case when is_hidden then '5人未満' else people::varchar end as people_label,
    case when not is_hidden then people end as people,
    case when not is_hidden then hits end as hits,
    case when not is_hidden then measure_value end as measure_value,
    case
        when is_hidden then '対象が5人未満のため出しません'
        when measure = 'days_to_support'
            then
                '中央値 ' || round(measure_value)::integer || '日（四分位 ' || round(value_low)::integer || '〜'
                || round(value_high)::integer || '日）'
        else
            round(measure_value * 100)::integer || '%（95%信頼区間 ' || round(value_low * 100)::integer || '〜'
            || round(value_high * 100)::integer || '%）'
    end as value_label,
    caution_ja as caution
from effects
