with versions as (
    select * from {{ ref('int_risk__versions') }}
),

coefficients as (
    select * from {{ ref('risk_coefficients') }}
),

items as (
    select * from {{ ref('risk_items') }}
),

bands as (
    select * from {{ ref('risk_bands') }}
),

risk_groups as (
    select * from {{ ref('risk_groups') }}
),

given as (
    select
        coefficients.model_version,
        coefficients.difficulty_type,
        coefficients.item_code,
        items.kind,
        items.group_code,
        coefficients.band_no,
        coefficients.coefficient
    from coefficients
    inner join versions
        on
            coefficients.model_version = versions.model_version
            and coefficients.difficulty_type = versions.difficulty_type
    inner join items on coefficients.item_code = items.item_code
),

lowering_groups as (
    -- only below 0 does it show that a band without a row contributes 0: there the 0 is the largest
    select distinct
        given.model_version,
        given.difficulty_type,
        given.group_code
    from given
    inner join risk_groups on given.group_code = risk_groups.group_code
    where risk_groups.combine = 'max' and given.coefficient < 0
),

zeros as (
    select
        lowering_groups.model_version,
        lowering_groups.difficulty_type,
        items.item_code,
        items.kind,
        items.group_code,
        bands.band_no,
        cast(0 as decimal(9, 3)) as coefficient
    from lowering_groups
    inner join items on lowering_groups.group_code = items.group_code
    inner join bands on items.item_code = bands.item_code
    anti join given
        on
            lowering_groups.model_version = given.model_version
            and lowering_groups.difficulty_type = given.difficulty_type
            and bands.item_code = given.item_code
            and bands.band_no = given.band_no
)

select * from given
union all
select * from zeros
