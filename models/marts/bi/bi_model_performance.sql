-- How the versions of the model did, in words: one row per as-of date, version, difficulty type, measure and group.
with

performances as (
    select * from {{ ref('fct_model_performance') }}
),

-- The same measure for two orders of the children that need no model.
baselines as (
    select
        as_of_on,
        model_version,
        difficulty_type,
        measure,
        group_kind,
        group_value,
        max(measure_value) filter (where ranking = 'item_count') as item_count_value,
        max(measure_value) filter (where ranking = 'area_rate') as area_rate_value
    from {{ ref('fct_model_baseline') }}
    group by all
),

difficulties as (
    select * from {{ ref('difficulty_types') }}
),

areas as (
    select * from {{ ref('areas') }}
)

select
    performances.as_of_on,
    performances.model_version,
    performances.difficulty_type,
    coalesce(difficulties.label_ja, performances.difficulty_type) as difficulty_label,
    performances.measure,
    case performances.measure
        when 'auc' then 'AUC（見分ける力）'
        when 'case_rate' then '事案になった割合（較正）'
        when 'ppv' then '的中率'
        when 'recall' then '再現率'
        when 'lift' then 'リフト（全体との比）'
        when 'false_positive_rate' then '偽陽性率'
        when 'false_negative_rate' then '偽陰性率'
        when 'completeness' then 'データ充足率'
        else performances.measure
    end as measure_label,
    performances.group_kind,
    case performances.group_kind
        when 'all' then '全体'
        when 'capacity' then '会議で見られる人数'
        when 'tier' then 'リスク段階'
        when 'score_band' then '点数の区分'
        when 'sex' then '性別'
        when 'age_band' then '年齢層'
        when 'area' then '地区'
        when 'nationality' then '国籍'
        when 'single_parent' then 'ひとり親'
        when 'public_assistance' then '生活保護'
        when 'disability' then '障害'
        else performances.group_kind
    end as group_kind_label,
    coalesce(
        areas.area_name_ja,
        -- Aligned on the right, so that bands sort by their number.
        case when performances.group_kind = 'score_band' then lpad(performances.group_value, 4, ' ') end,
        case when performances.group_kind = 'capacity' then lpad(performances.group_value, 4, ' ') || '人' end,
        performances.group_value
    ) as group_label,
    performances.measure_value,
    baselines.item_count_value,
    baselines.area_rate_value,
    -- Sums of shares differ in their last digits by the order in which they are added.
    case
        when baselines.item_count_value is null or baselines.area_rate_value is null then '—'
        when performances.measure in ('false_positive_rate', 'false_negative_rate')
            then
                {{ beaten_baselines(
                    'performances.measure_value < baselines.item_count_value - 1e-9',
                    'performances.measure_value < baselines.area_rate_value - 1e-9',
                ) }}
        else
            {{ beaten_baselines(
                'performances.measure_value > baselines.item_count_value + 1e-9',
                'performances.measure_value > baselines.area_rate_value + 1e-9',
            ) }}
    end as baseline_label,
    performances.value_low,
    performances.value_high,
    performances.base,
    performances.people,
    performances.cases,
    performances.flagged,
    performances.flagged_cases,
    performances.frozen_on,
    performances.outcome_until,
    case
        when max(performances.cases) filter (where performances.group_kind = 'all') over by_version < 10
            then '事案が10件未満：成績の良し悪しは言えない'
        when max(performances.cases) filter (where performances.group_kind = 'all') over by_version < 100
            then '事案が少ない：区間を見る'
        else '—'
    end as caution_label,
    performances.as_of_on = max(performances.as_of_on) over (
        partition by performances.model_version, performances.difficulty_type
    ) as is_latest
from performances
left join baselines
    on
        performances.as_of_on = baselines.as_of_on
        and performances.model_version = baselines.model_version
        and performances.difficulty_type = baselines.difficulty_type
        and performances.measure = baselines.measure
        and performances.group_kind = baselines.group_kind
        and performances.group_value = baselines.group_value
left join difficulties on performances.difficulty_type = difficulties.difficulty_type
left join areas on performances.group_kind = 'area' and performances.group_value = areas.area_code
window by_version as (
    partition by performances.as_of_on, performances.model_version, performances.difficulty_type
)
