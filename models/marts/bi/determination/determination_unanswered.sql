-- What no source can answer, over all versions and types that concern the child.
-- Grain: one row per child, source and reason.
with

unanswered as (
    select * from {{ ref('fct_unanswered') }}
),

items as (
    select * from {{ ref('risk_items') }}
),

listed as (
    select distinct
        person_id,
        source_id,
        reason,
        unnest(string_split(item_codes, '|')) as item_code
    from unanswered
)

select
    listed.person_id,
    listed.source_id,
    listed.reason,
    count(*) as items,
    string_agg(items.label_ja, '・' order by items.label_ja) as item_labels
from listed
left join items on listed.item_code = items.item_code
group by listed.person_id, listed.source_id, listed.reason
order by listed.source_id, listed.reason
