with risk_groups as (
    select * from {{ ref('risk_groups') }}
),

resolved as (
    select
        *,
        false as is_combination
    from {{ ref('int_risk__item_contributions') }}
    union all
    select
        *,
        true as is_combination
    from {{ ref('int_risk__combination_contributions') }}
),

cuts as (
    {{ cap_cuts('resolved') }}
),

final as (
    select
        person_id,
        model_version,
        difficulty_type,
        item_code,
        band_no,
        raw_value,
        cast(coefficient as decimal(18, 3)) as coefficient,
        is_counted,
        evidence
    from resolved
    union all
    select * from cuts
)

select
    {{ as_of() }} as as_of_on,
    model_version,
    difficulty_type,
    person_id,
    item_code,
    band_no,
    raw_value,
    coefficient,
    is_counted,
    evidence
from final
