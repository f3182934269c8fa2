-- Items that apply at a child's age and of which nothing is on record. Grain: one row per child and item.
with

subjects as (
    select * from {{ ref('int_risk__subjects') }}
),

scores as (
    select * from {{ ref('int_risk__scores') }}
),

observed as (
    select * from {{ ref('int_risk__values') }}
),

used_items as (
    select * from {{ ref('int_risk__used_items') }}
    where kind = 'observation'
),

items as (
    select * from {{ ref('risk_items') }}
),

observation_codes as (
    select * from {{ ref('observation_codes') }}
),

difficulties as (
    select * from {{ ref('difficulty_types') }}
),

holders as (
    {{ source_holders() }}
),

without_value as (
    select distinct
        subjects.person_id,
        used_items.item_code,
        used_items.difficulty_type
    from subjects
    inner join scores on subjects.person_id = scores.person_id
    inner join used_items
        on
            scores.model_version = used_items.model_version
            and scores.difficulty_type = used_items.difficulty_type
            -- Of an age that is not known, anything may apply.
            and coalesce(subjects.age_months >= used_items.age_from_months, true)
            and coalesce(subjects.age_months < used_items.age_to_months, true)
    anti join observed
        on subjects.person_id = observed.person_id and used_items.item_code = observed.item_code
)

select
    without_value.person_id,
    items.item_code,
    items.label_ja as item_label,
    items.category,
    observation_codes.source_id,
    string_agg(distinct difficulties.label_ja, '・' order by difficulties.label_ja) as difficulty_labels,
    coalesce(holders.source_label, observation_codes.source_id, '') as source_label
from without_value
inner join items on without_value.item_code = items.item_code
left join observation_codes on items.observation_code = observation_codes.observation_code
left join difficulties on without_value.difficulty_type = difficulties.difficulty_type
left join holders on observation_codes.source_id = holders.source_id
group by all
order by items.category, items.item_code
