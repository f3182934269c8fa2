-- What makes the scores as determined, and what of the one in service no longer does (`change` = gone).
-- Grain: one row per child, model version, difficulty type, item and band.
with

children as (
    select person_id from {{ ref('dim_child') }}
),

determined as (
    select * from {{ ref('int_risk__contributions') }}
),

published as (
    select max(as_of_on) as as_of_on from {{ ref('bi_child') }}
),

in_service as (
    select contributions.*
    from {{ ref('fct_risk_contribution') }} as contributions
    inner join published on contributions.as_of_on = published.as_of_on
    semi join children on contributions.person_id = children.person_id
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

compared as (
    select
        coalesce(determined.person_id, in_service.person_id) as person_id,
        coalesce(determined.model_version, in_service.model_version) as model_version,
        coalesce(determined.difficulty_type, in_service.difficulty_type) as difficulty_type,
        coalesce(determined.item_code, in_service.item_code) as item_code,
        coalesce(determined.band_no, in_service.band_no) as band_no,
        determined.raw_value,
        coalesce(determined.coefficient, in_service.coefficient) as coefficient,
        coalesce(determined.is_counted, false) as is_counted,
        determined.evidence,
        case
            when determined.person_id is null then 'gone'
            when in_service.person_id is null then 'new'
            when
                determined.coefficient <> in_service.coefficient
                or determined.is_counted <> in_service.is_counted
                then 'changed'
            else 'same'
        end as change
    from determined
    full join in_service
        on
            determined.person_id = in_service.person_id
            and determined.model_version = in_service.model_version
            and determined.difficulty_type = in_service.difficulty_type
            and determined.item_code = in_service.item_code
            and determined.band_no is not distinct from in_service.band_no
)

select
    compared.person_id,
    compared.model_version,
    compared.difficulty_type,
    compared.item_code,
    compared.band_no,
    compared.raw_value,
    compared.coefficient,
    compared.is_counted,
    compared.evidence,
    compared.change,
    coalesce(difficulties.label_ja, compared.difficulty_type) as difficulty_label,
    -- A row without an item is what a cap of a group cuts off.
    coalesce(items.label_ja, '上限による調整') as item_label,
    items.category,
    bands.label_ja as band_label
from compared
left join difficulties on compared.difficulty_type = difficulties.difficulty_type
left join items on compared.item_code = items.item_code
left join bands on compared.item_code = bands.item_code and compared.band_no = bands.band_no
left join versions on compared.model_version = versions.model_version
order by
    compared.person_id asc, versions.status <> 'active' asc, compared.model_version asc,
    difficulties.sort_order asc, compared.change = 'gone' asc, compared.is_counted desc,
    compared.coefficient desc, compared.item_code asc
