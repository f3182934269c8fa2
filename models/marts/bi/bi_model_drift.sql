-- What moved since the last run, in words: one row per as-of date, version, difficulty type, measure and group.
with

drifts as (
    select * from {{ ref('fct_model_drift') }}
),

difficulties as (
    select * from {{ ref('difficulty_types') }}
),

items as (
    select * from {{ ref('risk_items') }}
),

tiers as (
    select * from {{ ref('risk_tiers') }}
)

select
    drifts.as_of_on,
    drifts.previous_as_of_on,
    drifts.model_version,
    drifts.difficulty_type,
    coalesce(difficulties.label_ja, drifts.difficulty_type) as difficulty_label,
    drifts.measure,
    case drifts.measure
        when 'psi' then '分布の変化（PSI）'
        when 'share' then '割合'
        when 'completeness' then 'データ充足率'
        when 'tier_graver' then '段階が上がった割合'
        when 'tier_milder' then '段階が下がった割合'
        else drifts.measure
    end as measure_label,
    drifts.group_kind,
    case drifts.group_kind
        when 'all' then '全体'
        when 'item' then 'リスク項目'
        when 'tier' then 'リスク段階'
        when 'age_band' then '年齢層'
        when 'area' then '地区'
        else drifts.group_kind
    end as group_kind_label,
    coalesce(items.label_ja, tiers.label_ja, drifts.group_value) as group_label,
    drifts.measure_value,
    drifts.value_low,
    drifts.value_high,
    drifts.previous_value,
    drifts.measure_value - drifts.previous_value as change_value,
    case
        when drifts.measure <> 'psi' then '—'
        when drifts.measure_value < 0.1 then '安定'
        when drifts.measure_value < {{ var('large_drift') }} then '注意'
        else '大きな変化'
    end as drift_label,
    drifts.people,
    drifts.previous_people,
    drifts.as_of_on = max(drifts.as_of_on) over (
        partition by drifts.model_version, drifts.difficulty_type
    ) as is_latest
from drifts
left join difficulties on drifts.difficulty_type = difficulties.difficulty_type
left join items on drifts.group_kind = 'item' and drifts.group_value = items.item_code
left join tiers
    on
        drifts.group_kind = 'tier'
        and drifts.model_version = tiers.model_version
        and drifts.difficulty_type = tiers.difficulty_type
        and drifts.group_value = tiers.tier
