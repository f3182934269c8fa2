with met_bands as (
    select * from {{ ref('int_risk__met_bands') }}
),

coefficients as (
    select * from {{ ref('risk_coefficients') }}
),

used_items as (
    select * from {{ ref('int_risk__used_items') }}
    where kind <> 'combination'
),

risk_groups as (
    select * from {{ ref('risk_groups') }}
),

contributions as (
    select
        met_bands.person_id,
        used_items.model_version,
        used_items.difficulty_type,
        met_bands.item_code,
        used_items.group_code,
        met_bands.band_no,
        met_bands.raw_value,
        coefficients.coefficient,
        met_bands.evidence
    from met_bands
    inner join used_items on met_bands.item_code = used_items.item_code
    inner join coefficients
        on
            used_items.model_version = coefficients.model_version
            and used_items.difficulty_type = coefficients.difficulty_type
            and met_bands.item_code = coefficients.item_code
            and met_bands.band_no = coefficients.band_no
)

{{ resolve_groups('contributions') }}
