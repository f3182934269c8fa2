-- A view: the expectations run after the build, and their results belong to the run that they judge.
{{ config(materialized='view') }}

with results as (
    select * from {{ source('run', 'quality_results') }}
)

select
    run_id,
    layer,
    table_name,
    expectation,
    severity,
    status,
    unexpected_count,
    element_count,
    checked_at,
    label_ja
from results
