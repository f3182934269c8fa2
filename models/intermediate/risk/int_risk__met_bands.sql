with subjects as (
    select * from {{ ref('int_risk__subjects') }}
),

observed_values as (
    select * from {{ ref('int_risk__values') }}
),

bands as (
    select * from {{ ref('risk_bands') }}
),

items as (
    select * from {{ ref('risk_items') }}
),

observed as (
    select
        observed_values.person_id,
        observed_values.item_code,
        bands.band_no,
        cast(observed_values.raw_value as decimal(38, 6)) as raw_value,
        observed_values.evidence
    from observed_values
    inner join bands
        on
            observed_values.item_code = bands.item_code
            and {{ lies_in_band('bands', 'observed_values.raw_value') }}
),

missing as (
    select
        subjects.person_id,
        items.item_code,
        bands.band_no,
        cast(null as decimal(38, 6)) as raw_value,
        cast(null as varchar) as evidence
    from subjects
    inner join items
        on items.kind = 'observation' and {{ applies_at_age('items', 'subjects.age_months') }}
    inner join bands on items.item_code = bands.item_code and bands.when_missing
    anti join observed_values
        on subjects.person_id = observed_values.person_id and items.item_code = observed_values.item_code
)

select * from observed
union all
select * from missing
