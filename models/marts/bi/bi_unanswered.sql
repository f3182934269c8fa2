-- What of a child's score could not be answered, and by which source: one row per child, model version, difficulty type,
-- source and reason.
with

children as (
    select * from {{ ref('bi_child') }}
),

unanswered as (
    select * from {{ ref('fct_unanswered') }}
),

versions as (
    select * from {{ ref('risk_model_versions') }}
),

difficulties as (
    select * from {{ ref('difficulty_types') }}
),

items as (
    select * from {{ ref('risk_items') }}
),

holders as (
    {{ source_holders() }}
),

item_lists as (
    select distinct
        item_codes,
        unnest(string_split(item_codes, '|')) as item_code
    from unanswered
),

labelled_lists as (
    select
        item_lists.item_codes,
        string_agg(distinct items.label_ja, '、' order by items.label_ja) as item_labels
    from item_lists
    inner join items on item_lists.item_code = items.item_code
    group by item_lists.item_codes
)

select
    {{ child_columns() }},
    children.is_dv_protected,
    unanswered.model_version,
    versions.status = 'active' as is_active_version,
    case versions.status when 'active' then '運用中' else '試行' end as version_status_label,
    unanswered.difficulty_type,
    difficulties.label_ja as difficulty_label,
    unanswered.source_id,
    holders.holder,
    holders.source_label,
    holders.holder_label,
    unanswered.reason,
    unanswered.items,
    labelled_lists.item_labels
from unanswered
inner join children on unanswered.person_id = children.person_id
inner join versions on unanswered.model_version = versions.model_version
left join labelled_lists on unanswered.item_codes = labelled_lists.item_codes
left join difficulties on unanswered.difficulty_type = difficulties.difficulty_type
left join holders on unanswered.source_id = holders.source_id
