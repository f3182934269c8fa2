-- What a steward has to settle with the holder: codes outside their list, 外字, headings that the contract does not
-- know, and values that could not be read. Counts and names of columns; of values, only codes and code points.
with

unknown_codes as (
    select * from {{ ref('int_quality__unknown_codes') }}
),

gaiji as (
    select * from {{ source('run', 'gaiji') }}
),

unknown_headings as (
    select * from {{ source('run', 'unknown_headings') }}
),

value_issues as (
    select * from {{ source('run', 'value_issues') }}
),

data_items as (
    select * from {{ source('run', 'data_items') }}
),

deliveries as (
    select * from {{ ref('fct_delivery') }}
),

found as (
    select
        delivery_id,
        source_id,
        'unknown_code' as question,
        column_name,
        delivered_code as detail,
        row_count
    from unknown_codes
    union all
    select
        delivery_id,
        source_id,
        'gaiji' as question,
        column_name,
        codepoint as detail,
        count(*) as row_count
    from gaiji
    group by all
    union all
    select
        delivery_id,
        source_id,
        'unknown_heading' as question,
        '' as column_name,
        heading as detail,
        1 as row_count
    from unknown_headings
    union all
    select
        delivery_id,
        source_id,
        'unreadable_value' as question,
        column_name,
        issue_code as detail,
        count(*) as row_count
    from value_issues
    group by all
)

select
    found.source_id,
    found.question,
    found.column_name,
    found.detail,
    coalesce(any_value(data_items.heading), '') as heading,
    cast(sum(found.row_count) as bigint) as row_count,
    cast(count(distinct found.delivery_id) as bigint) as deliveries,
    max(deliveries.delivered_on) as last_delivered_on
from found
inner join deliveries on found.delivery_id = deliveries.delivery_id
left join data_items on found.source_id = data_items.source_id and found.column_name = data_items.column_name
where deliveries.status = 'loaded'
group by found.source_id, found.question, found.column_name, found.detail
