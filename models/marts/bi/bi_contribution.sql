-- Why the score is what it is: one row per child, model version, difficulty type and item that adds or takes.
with

children as (
    select * from {{ ref('bi_child') }}
),

contributions as (
    select * from {{ ref('fct_risk_contribution') }}
    where as_of_on = {{ as_of() }} and coefficient <> 0
),

versions as (
    select * from {{ ref('risk_model_versions') }}
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

observation_codes as (
    select * from {{ ref('observation_codes') }}
),

holders as (
    {{ source_holders() }}
)

select
    {{ child_columns() }},
    children.is_dv_protected,
    children.tier,
    children.tier_label,
    contributions.model_version,
    versions.status = 'active' as is_active_version,
    case versions.status when 'active' then '運用中' else '試行' end as version_status_label,
    contributions.difficulty_type,
    difficulties.label_ja as difficulty_label,
    contributions.item_code,
    coalesce(items.label_ja, '上限による調整') as item_label,
    coalesce(items.category, '調整') as category,
    contributions.band_no,
    coalesce(bands.label_ja, '—') as band_label,
    contributions.raw_value,
    contributions.coefficient,
    contributions.is_counted,
    case when contributions.is_counted then '算入' else '算入せず（同じ群で最大のものだけを算入）' end as counted_label,
    replace(contributions.evidence::varchar, '|', '、') as evidence,
    observation_codes.source_id,
    -- Chains and combinations come from the records of several departments: the child department answers for them.
    coalesce(holders.holder, 'child') as holder,
    coalesce(holders.source_label, '組合せ・連鎖') as source_label,
    coalesce(holders.holder_label, '子ども若者課') as holder_label
from contributions
inner join children on contributions.person_id = children.person_id
inner join versions on contributions.model_version = versions.model_version
left join difficulties on contributions.difficulty_type = difficulties.difficulty_type
left join items on contributions.item_code = items.item_code
left join bands
    on contributions.item_code = bands.item_code and contributions.band_no = bands.band_no
left join observation_codes on items.observation_code = observation_codes.observation_code
left join holders on observation_codes.source_id = holders.source_id
