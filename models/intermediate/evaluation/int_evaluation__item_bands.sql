-- The bands of observation and chain items met at the freeze, numbered. Grain: one row per band.
with frozen as (
    select * from {{ ref('int_evaluation__frozen') }}
),

items as (
    select * from {{ ref('risk_items') }}
),

exploded as (
    select unnest(frozen.bands) as band
    from frozen
),

met as (
    select distinct
        band['item_code'] as item_code,
        band['band_no'] as band_no
    from exploded
)

select
    row_number() over (order by met.item_code, met.band_no) as band_id,
    met.item_code,
    met.band_no,
    items.age_from_months,
    items.age_to_months,
    coalesce(cast(items.age_from_months as varchar), '') || '-'
    || coalesce(cast(items.age_to_months as varchar), '') as age_range
from met
inner join items on met.item_code = items.item_code
