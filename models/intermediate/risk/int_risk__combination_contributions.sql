with combination_bands as (
    select * from {{ ref('int_risk__combination_bands') }}
),

coefficients as (
    select * from {{ ref('int_risk__coefficients') }}
),

risk_groups as (
    select * from {{ ref('risk_groups') }}
),

contributions as (
    select
        combination_bands.person_id,
        combination_bands.model_version,
        combination_bands.difficulty_type,
        combination_bands.item_code,
        combination_bands.group_code,
        combination_bands.band_no,
        combination_bands.raw_value,
        coefficients.coefficient,
        combination_bands.evidence
    from combination_bands
    inner join coefficients
        on
            combination_bands.model_version = coefficients.model_version
            and combination_bands.difficulty_type = coefficients.difficulty_type
            and combination_bands.item_code = coefficients.item_code
            and combination_bands.band_no = coefficients.band_no
)

{{ resolve_groups('contributions') }}
