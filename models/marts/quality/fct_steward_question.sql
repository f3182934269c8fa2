-- What a steward has to settle with the holder: codes and words outside their list, places without an area, 外字, headings
-- that the contract does not know, values that could not be read, records of a number that no person has, dates read as
-- what they mean, and what the sources say of families that cannot all be true. Counts and names of columns; of values,
-- only codes and code points.
with

unknown_codes as (
    select * from {{ ref('int_quality__unknown_codes') }}
),

register_questions as (
    select * from {{ ref('int_quality__register_questions') }}
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

unknown_numbers as (
    select * from {{ ref('int_quality__unknown_numbers') }}
),

discarded_ends as (
    select * from {{ ref('int_quality__discarded_ends') }}
),

data_items as (
    select * from {{ source('run', 'data_items') }}
),

contradictions as (
    select * from {{ ref('int_family__contradictions') }}
),

deliveries as (
    select * from {{ ref('fct_delivery') }}
    where status = 'loaded'
),

questions as (
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
        question,
        column_name,
        detail,
        row_count
    from register_questions
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
        case
            when issue_code = 'interpreted_date' then 'interpreted_date' else 'unreadable_value'
        end as question,
        column_name,
        issue_code as detail,
        count(*) as row_count
    from value_issues
    group by all
    union all
    select
        delivery_id,
        source_id,
        'interpreted_date' as question,
        column_name,
        'end_before_start' as detail,
        count(*) as row_count
    from discarded_ends
    group by all
    union all
    select
        delivery_id,
        source_id,
        'orphan' as question,
        column_name,
        case
            when ends_with(column_name, 'atena_no') then 'not_in_register' else 'not_on_roster'
        end as detail,
        count(*) as row_count
    from unknown_numbers
    group by all
),

by_delivery as (
    select
        questions.source_id,
        questions.question,
        questions.column_name,
        questions.detail,
        coalesce(any_value(data_items.heading), '') as heading,
        cast(sum(questions.row_count) as bigint) as row_count,
        cast(count(distinct questions.delivery_id) as bigint) as deliveries,
        max(deliveries.delivered_on) as last_delivered_on,
        min(deliveries.delivered_on) as first_delivered_on
    from questions
    inner join deliveries on questions.delivery_id = deliveries.delivery_id
    left join data_items
        on questions.source_id = data_items.source_id and questions.column_name = data_items.column_name
    group by questions.source_id, questions.question, questions.column_name, questions.detail
),

-- A contradiction stands on everything that its source has delivered.
all_deliveries as (
    select
        source_id,
        cast(count(*) as bigint) as deliveries,
        max(delivered_on) as last_delivered_on
    from deliveries
    group by source_id
),

in_families as (
    select
        case
            when kind = 'overlapping_marriages' or origin = '婚姻' then 'marriages'
            when origin = '届出' then 'parentage'
            when origin = '続柄' then 'household_history'
            when origin = '妊娠届' then 'pregnancy_notifications'
            when origin = '新生児訪問' then 'newborn_visits'
            when origin = '手当' then 'child_allowance'
            else 'resident_register'
        end as source_id,
        kind_label_ja,
        count(*) as row_count
    from contradictions
    group by all
)

select * from by_delivery
union all
select
    in_families.source_id,
    'contradiction' as question,
    '' as column_name,
    in_families.kind_label_ja as detail,
    '' as heading,
    in_families.row_count,
    coalesce(all_deliveries.deliveries, 0) as deliveries,
    all_deliveries.last_delivered_on,
    -- Which of its deliveries brought it, a contradiction does not say.
    cast(null as date) as first_delivered_on
from in_families
left join all_deliveries on in_families.source_id = all_deliveries.source_id
