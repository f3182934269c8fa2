-- What is wrong with the data on each as-of date, as tasks for stewards: held and refused deliveries, columns that differ,
-- rejects, questions to the holder, records that belong to no person, pairs that wait, rows without a fate, drift.
-- What depends on today's date (late deliveries, a batch that stopped) is added when the list is read.
-- Other as-of dates stay: a run replaces the rows of its own date only.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook='{{ replace_rows_of_this_date() }}'
    )
}}

with

deliveries as (
    select * from {{ ref('fct_delivery') }}
),

column_findings as (
    select * from {{ ref('fct_column_finding') }}
),

rejects as (
    select * from {{ ref('fct_reject') }}
    where state = 'open'
),

questions as (
    select * from {{ ref('fct_steward_question') }}
),

accounts as (
    select * from {{ ref('fct_fact_account') }}
    where fate = 'vanished'
),

link_decisions as (
    select * from {{ ref('fct_link_decision') }}
    where status in ('review', 'unlinked')
),

drifts as (
    select * from {{ ref('fct_model_drift') }}
    where as_of_on = {{ as_of() }} and measure = 'psi' and measure_value >= {{ var('large_drift') }}
),

-- A refused file that was sent again has been seen to.
last_loaded as (
    select
        source_id,
        max(received_at) as received_at
    from deliveries
    where status = 'loaded'
    group by source_id
),

stopped_deliveries as (
    select
        deliveries.status as kind,
        deliveries.source_id,
        '' as column_name,
        coalesce(deliveries.reason_ja, deliveries.reason, '') as detail,
        deliveries.delivery_id,
        deliveries.delivered_on as since_on,
        coalesce(deliveries.rows_read, 0) as item_count
    from deliveries
    left join last_loaded on deliveries.source_id = last_loaded.source_id
    where
        (
            deliveries.status = 'held'
            -- Each of its columns is a task of its own.
            and deliveries.delivery_id not in (select column_findings.delivery_id from column_findings)
        )
        or (
            deliveries.status = 'refused'
            and (last_loaded.received_at is null or last_loaded.received_at < deliveries.received_at)
        )
),

held_columns as (
    select
        'column_finding' as kind,
        column_findings.source_id,
        column_findings.column_name,
        coalesce(column_findings.reason_ja, column_findings.reason, '') as detail,
        column_findings.delivery_id,
        deliveries.delivered_on as since_on,
        coalesce(deliveries.rows_read, 0) as item_count
    from column_findings
    inner join deliveries on column_findings.delivery_id = deliveries.delivery_id
    where deliveries.status = 'held'
),

rejected_rows as (
    select
        'reject' as kind,
        rejects.source_id,
        '' as column_name,
        '' as detail,
        rejects.delivery_id,
        any_value(deliveries.delivered_on) as since_on,
        count(*) as item_count
    from rejects
    inner join deliveries on rejects.delivery_id = deliveries.delivery_id
    group by rejects.source_id, rejects.delivery_id
),

asked as (
    select
        question as kind,
        source_id,
        column_name,
        detail,
        '' as delivery_id,
        first_delivered_on as since_on,
        row_count as item_count
    from questions
),

vanished as (
    select
        'vanished' as kind,
        source_id,
        '' as column_name,
        '' as detail,
        '' as delivery_id,
        cast(null as date) as since_on,
        sum(row_count) as item_count
    from accounts
    group by source_id
),

of_no_person as (
    select
        case status when 'review' then 'link_review' else 'unlinked' end as kind,
        source_id,
        '' as column_name,
        '' as detail,
        '' as delivery_id,
        cast(null as date) as since_on,
        count(*) as item_count
    from link_decisions
    group by source_id, status
),

moved as (
    select
        'drift' as kind,
        '' as source_id,
        case when group_kind = 'item' then group_value else '' end as column_name,
        model_version || '/' || difficulty_type as detail,
        '' as delivery_id,
        as_of_on as since_on,
        people as item_count
    from drifts
),

tasks as (
    select * from stopped_deliveries
    union all
    select * from held_columns
    union all
    select * from rejected_rows
    union all
    select * from asked
    union all
    select * from vanished
    union all
    select * from of_no_person
    union all
    select * from moved
)

select
    {{ as_of() }} as as_of_on,
    {{ quality_task_id(['kind', 'source_id', 'column_name', 'detail', 'delivery_id']) }} as task_id,
    kind,
    coalesce(source_id, '') as source_id,
    column_name,
    detail,
    delivery_id,
    since_on,
    cast(item_count as bigint) as item_count
from tasks
