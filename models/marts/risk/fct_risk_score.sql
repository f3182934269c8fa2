-- Other as-of dates stay: a run replaces the rows of its own date only.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook='{{ replace_rows_of_this_date() }}'
    )
}}

with scores as (
    select * from {{ ref('int_risk__scores') }}
)

select
    as_of_on,
    model_version,
    difficulty_type,
    person_id,
    score,
    tier,
    is_override,
    completeness
from scores
