with met_bands as (
    select * from {{ ref('int_risk__met_bands') }}
),

coefficients as (
    select * from {{ ref('int_risk__coefficients') }}
    where kind <> 'combination'
),

scored as (
    select * from {{ ref('int_risk__scored') }}
),

risk_groups as (
    select * from {{ ref('risk_groups') }}
),

contributions as (
    select
        met_bands.person_id,
        coefficients.model_version,
        coefficients.difficulty_type,
        met_bands.item_code,
        coefficients.group_code,
        met_bands.band_no,
        met_bands.raw_value,
        coefficients.coefficient,
        met_bands.evidence
    from met_bands
    inner join coefficients
        on met_bands.item_code = coefficients.item_code and met_bands.band_no = coefficients.band_no
    inner join scored
        on
            met_bands.person_id = scored.person_id
            and coefficients.model_version = scored.model_version
            and coefficients.difficulty_type = scored.difficulty_type
)

{{ resolve_groups('contributions') }}
