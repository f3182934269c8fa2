-- Tasks of data quality in words, for the stewards of the holder: one row per task. A view, as the results of the checks are
-- written after the build.
{{ config(materialized='view') }}

with

tasks as (
    select * from {{ ref('fct_quality_task') }}
),

-- What a check only counts, and the other tasks list one by one, is no task of its own.
checks as (
    select * from {{ ref('fct_quality_result') }}
    where
        severity = 'blocks_publication'
        or status = 'errored'
        or table_name not in (
            'raw.deliveries', 'raw.value_issues', 'raw.gaiji', 'raw.unknown_headings', 'raw.data_items',
            'intermediate.int_quality__unknown_codes', 'intermediate.int_quality__unknown_numbers',
            'intermediate.int_quality__register_questions', 'intermediate.int_quality__discarded_ends',
            'intermediate.int_family__contradictions', 'marts.fct_link_decision', 'marts.fct_fact_account'
        )
),

last_runs as (
    select max(run_id) as run_id from {{ ref('fct_quality_result') }}
),

labelled_checks as (
    select * from {{ ref('bi_quality_result') }}
),

kinds as (
    select * from {{ ref('quality_task_kinds') }}
),

data_items as (
    select * from {{ source('run', 'data_items') }}
),

deliveries as (
    select * from {{ ref('fct_delivery') }}
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

last_passes as (
    select
        table_name,
        expectation,
        max(run_id) filter (where status = 'passed') as run_id
    from checks
    group by table_name, expectation
),

-- What failed in the last run, since the last time that it passed.
failed_checks as (
    select
        checks.table_name,
        checks.expectation,
        arg_max(checks.severity, checks.run_id) as severity,
        arg_max(checks.status, checks.run_id) as status,
        arg_max(checks.unexpected_count, checks.run_id) as unexpected_count,
        count(*) = 1 as is_new,
        -- Kept in UTC; readers are in Japan, which has no daylight saving time.
        cast(min(checks.checked_at) + interval 9 hour as date) as since_on
    from checks
    inner join last_passes
        on checks.table_name = last_passes.table_name and checks.expectation = last_passes.expectation
    where
        (last_passes.run_id is null or checks.run_id > last_passes.run_id)
    group by checks.table_name, checks.expectation
    having max(checks.run_id) = (select last_runs.run_id from last_runs)
),

of_checks as (
    select
        {{ quality_task_id(
            ["'check'", 'failed_checks.table_name', 'failed_checks.expectation']
        ) }} as task_id,
        case
            when failed_checks.status = 'errored' then 'check_error'
            when failed_checks.severity = 'blocks_publication' then 'check_blocking'
            when failed_checks.severity = 'steward_must_look' then 'check_look'
            else 'check_note'
        end as kind,
        '' as source_id,
        coalesce(labelled_checks.expectation_label, failed_checks.expectation)
        || '（' || failed_checks.table_name || '）' as detail_label,
        failed_checks.unexpected_count as item_count,
        failed_checks.since_on,
        failed_checks.is_new,
        labelled_checks.holder,
        labelled_checks.holder_label
    from failed_checks
    left join labelled_checks
        on
            failed_checks.table_name = labelled_checks.table_name
            and failed_checks.expectation = labelled_checks.expectation
            and labelled_checks.is_latest_run
    qualify row_number() over (
        partition by failed_checks.table_name, failed_checks.expectation order by labelled_checks.holder
    ) = 1
),

of_data as (
    select
        tasks.task_id,
        tasks.kind,
        tasks.source_id,
        coalesce(items.label_ja, data_items.heading, nullif(tasks.column_name, ''), '') as heading,
        case
            when tasks.kind = 'drift'
                then coalesce(difficulties.label_ja, '') || '（' || split_part(tasks.detail, '/', 1) || '）'
            else {{ question_detail('tasks.detail') }}
        end as detail_label,
        tasks.delivery_id,
        deliveries.file_name,
        tasks.item_count,
        tasks.since_on,
        tasks.first_seen_on = {{ as_of() }} as is_new,
        tasks.done_on
    from tasks
    left join data_items
        on
            tasks.kind <> 'drift'
            and tasks.source_id = data_items.source_id
            and tasks.column_name = data_items.column_name
    left join deliveries on tasks.delivery_id = deliveries.delivery_id
    left join difficulties
        on tasks.kind = 'drift' and split_part(tasks.detail, '/', 2) = difficulties.difficulty_type
    left join items on tasks.kind = 'drift' and tasks.column_name = items.item_code
),

of_both as (
    select
        *,
        cast(null as varchar) as holder,
        cast(null as varchar) as holder_label
    from of_data
    union all by name
    select
        *,
        '' as heading,
        '' as delivery_id,
        cast(null as varchar) as file_name,
        cast(null as date) as done_on
    from of_checks
)

select
    of_both.task_id,
    of_both.kind,
    of_both.source_id,
    coalesce(holders.source_label, '') as source_label,
    -- A task about no source, or that no holder can see to, is the child department's.
    case
        when kinds.is_overseers then 'child' else coalesce(of_both.holder, holders.holder, 'child')
    end as holder,
    case
        when kinds.is_overseers then '{{ var('departments').child }}'
        else coalesce(of_both.holder_label, holders.holder_label, '{{ var('departments').child }}')
    end as holder_label,
    of_both.heading,
    of_both.detail_label,
    of_both.delivery_id,
    of_both.file_name,
    of_both.item_count,
    of_both.since_on,
    of_both.is_new,
    of_both.done_on
from of_both
inner join kinds on of_both.kind = kinds.kind
left join holders on of_both.source_id = holders.source_id
