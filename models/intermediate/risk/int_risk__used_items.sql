with versions as (
    select * from {{ ref('int_risk__versions') }}
),

coefficients as (
    select * from {{ ref('int_risk__coefficients') }}
),

overrides as (
    select * from {{ ref('risk_overrides') }}
),

risk_items as (
    select * from {{ ref('risk_items') }}
),

used as (
    select
        model_version,
        difficulty_type,
        item_code
    from coefficients
    union
    select
        overrides.model_version,
        overrides.difficulty_type,
        overrides.item_code
    from overrides
    inner join versions
        on
            overrides.model_version = versions.model_version
            and overrides.difficulty_type = versions.difficulty_type
)

select
    used.model_version,
    used.difficulty_type,
    risk_items.item_code,
    risk_items.kind,
    risk_items.age_from_months,
    risk_items.age_to_months,
    risk_items.group_code
from used
inner join risk_items on used.item_code = risk_items.item_code
