-- The association of items with cases, in words: one row per as-of date, difficulty type, band and second band. A
-- band that everyone of its age meets (an age itself) compares no groups, and a pair with it says what the other band
-- says: both are left out.
with

all_evidence as (
    select * from {{ ref('fct_item_evidence') }}
),

difficulties as (
    select * from {{ ref('difficulty_types') }}
),

items as (
    select * from {{ ref('risk_items') }}
),

bands as (
    select * from {{ ref('risk_bands') }}
),

met_by_everybody as (
    select
        as_of_on,
        difficulty_type,
        item_code,
        band_no
    from all_evidence
    where second_item_code is null and unexposed_cases + unexposed_others = 0
),

evidence as (
    select all_evidence.*
    from all_evidence
    anti join met_by_everybody as first_band
        on
            all_evidence.as_of_on = first_band.as_of_on
            and all_evidence.difficulty_type = first_band.difficulty_type
            and all_evidence.item_code = first_band.item_code
            and all_evidence.band_no = first_band.band_no
    anti join met_by_everybody as second_band
        on
            all_evidence.as_of_on = second_band.as_of_on
            and all_evidence.difficulty_type = second_band.difficulty_type
            and all_evidence.second_item_code = second_band.item_code
            and all_evidence.second_band_no = second_band.band_no
)

select
    evidence.as_of_on,
    evidence.difficulty_type,
    coalesce(difficulties.label_ja, evidence.difficulty_type) as difficulty_label,
    evidence.item_code,
    coalesce(items.label_ja, evidence.item_code) as item_label,
    items.category,
    evidence.band_no,
    coalesce(bands.label_ja, '—') as band_label,
    evidence.second_item_code,
    coalesce(second_items.label_ja, '—') as second_item_label,
    coalesce(second_bands.label_ja, '—') as second_band_label,
    case when evidence.second_item_code is null then '単独' else '組合せ' end as kind_label,
    evidence.people,
    evidence.cases,
    evidence.exposed_cases,
    evidence.exposed_others,
    evidence.prevalence,
    evidence.case_rate,
    evidence.relative_risk,
    evidence.odds_ratio,
    evidence.odds_ratio_low,
    evidence.odds_ratio_high,
    evidence.lift,
    evidence.information_value,
    evidence.q_value,
    evidence.frozen_on,
    evidence.outcome_until,
    evidence.as_of_on = max(evidence.as_of_on) over (partition by evidence.difficulty_type) as is_latest
from evidence
left join difficulties on evidence.difficulty_type = difficulties.difficulty_type
left join items on evidence.item_code = items.item_code
left join bands on evidence.item_code = bands.item_code and evidence.band_no = bands.band_no
left join items as second_items on evidence.second_item_code = second_items.item_code
left join bands as second_bands
    on evidence.second_item_code = second_bands.item_code and evidence.second_band_no = second_bands.band_no
