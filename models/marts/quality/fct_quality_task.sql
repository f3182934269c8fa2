-- What is and was wrong with the data, with since when: one row per task. A task that a later batch does not show is done.
with

task_days as (
    select * from {{ ref('fct_quality_task_day') }}
    where as_of_on <= {{ as_of() }}
),

batches as (
    select as_of_on from task_days
    union
    -- Also where this batch shows no task.
    select {{ as_of() }} as as_of_on
),

numbered as (
    select
        as_of_on,
        row_number() over (order by as_of_on) as batch_no,
        lead(as_of_on) over (order by as_of_on) as next_on
    from batches
),

-- Batches in a row that show a task have the same number.
stretches as (
    select
        task_days.*,
        numbered.batch_no,
        numbered.next_on,
        numbered.batch_no
        - row_number() over (partition by task_days.task_id order by numbered.batch_no) as stretch_no
    from task_days
    inner join numbered on task_days.as_of_on = numbered.as_of_on
),

first_days as (
    select
        *,
        min(as_of_on) over (partition by task_id, stretch_no) as first_seen_on
    from stretches
)

select
    task_id,
    kind,
    source_id,
    column_name,
    detail,
    delivery_id,
    item_count,
    case when since_on <= first_seen_on then since_on else first_seen_on end as since_on,
    first_seen_on,
    as_of_on as last_seen_on,
    next_on as done_on
from first_days
qualify row_number() over (partition by task_id order by batch_no desc) = 1
