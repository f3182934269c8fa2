with scored as (
    select * from {{ ref('int_risk__scored') }}
),

used_items as (
    select * from {{ ref('int_risk__used_items') }}
    where kind = 'observation'
),

item_sources as (
    select * from {{ ref('int_risk__item_sources') }}
),

ages as (
    -- by age, of which there are few, rather than by child, of whom there are many
    select distinct
        age_months,
        model_version,
        difficulty_type
    from scored
)

select
    ages.age_months,
    ages.model_version,
    ages.difficulty_type,
    item_sources.source_id,
    item_sources.is_barred,
    count(*) as items,
    string_agg(used_items.item_code, '|' order by used_items.item_code) as item_codes
from ages
inner join used_items
    on
        ages.model_version = used_items.model_version
        and ages.difficulty_type = used_items.difficulty_type
        and {{ applies_at_age('used_items', 'ages.age_months') }}
inner join item_sources on used_items.item_code = item_sources.item_code
group by
    ages.age_months, ages.model_version, ages.difficulty_type, item_sources.source_id, item_sources.is_barred
