-- Why the score is what it is: one row per child, model version, difficulty type and item that adds or takes. What the
-- register does not approve for BI is one row without its item, so that the rows still sum up to the score.
with

children as (
    select * from {{ ref('bi_child') }}
),

every_contribution as (
    select * from {{ ref('fct_risk_contribution') }}
    where as_of_on = {{ as_of() }} and coefficient <> 0
),

barred_observations as (
    select * from {{ ref('int_observations__barred') }}
),

items as (
    select * from {{ ref('risk_items') }}
),

item_observations as (
    select * from {{ ref('int_risk__item_observations') }}
),

versions as (
    select * from {{ ref('risk_model_versions') }}
),

difficulties as (
    select * from {{ ref('difficulty_types') }}
),

bands as (
    select * from {{ ref('risk_bands') }}
),

observation_codes as (
    select * from {{ ref('observation_codes') }}
),

holders as (
    {{ source_holders() }}
),

barred_items as (
    select distinct
        barred_observations.purpose,
        item_observations.item_code
    from item_observations
    inner join barred_observations
        on item_observations.observation_code = barred_observations.observation_code
),

judged as (
    select
        *,
        item_code not in (
            select barred_items.item_code
            from barred_items
            where barred_items.purpose = 'bi'
        ) as is_for_bi,
        item_code not in (
            select barred_items.item_code
            from barred_items
            where barred_items.purpose = 'meeting'
        ) as is_for_meeting
    from every_contribution
),

withheld as (
    select
        as_of_on,
        model_version,
        difficulty_type,
        person_id,
        'withheld' as item_code,
        sum(coefficient) as coefficient,
        true as is_counted,
        false as is_for_meeting
    from judged
    where not is_for_bi and is_counted
    group by all
),

contributions as (
    select * exclude (is_for_bi)
    from judged
    where is_for_bi
    union all by name
    select * from withheld
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
    case
        when contributions.item_code = 'withheld' then '表示の承認がない項目'
        else coalesce(items.label_ja, '上限による調整')
    end as item_label,
    coalesce(items.category, '調整') as category,
    contributions.band_no,
    coalesce(bands.label_ja, '—') as band_label,
    contributions.raw_value,
    contributions.coefficient,
    contributions.is_counted,
    case when contributions.is_counted then '算入' else '算入せず（同じ群で最大のものだけを算入）' end as counted_label,
    replace(contributions.evidence::varchar, '|', '、') as evidence,
    contributions.is_for_meeting,
    items.observation_code,
    observation_codes.source_id,
    -- Chains and combinations come from the records of several departments: the child department answers for them.
    coalesce(holders.holder, 'child') as holder,
    coalesce(holders.source_label, '組合せ・連鎖') as source_label,
    coalesce(holders.holder_label, '{{ var('departments').child }}') as holder_label
from contributions
inner join children on contributions.person_id = children.person_id
inner join versions on contributions.model_version = versions.model_version
left join difficulties on contributions.difficulty_type = difficulties.difficulty_type
left join items on contributions.item_code = items.item_code
left join bands
    on contributions.item_code = bands.item_code and contributions.band_no = bands.band_no
left join observation_codes on items.observation_code = observation_codes.observation_code
left join holders on observation_codes.source_id = holders.source_id
