-- What the area summary showed at each as-of date, hidden counts hidden: a count that was not shown then is not kept.
-- One row per as-of date, area (and the whole city) and tier (and all tiers), over all difficulty types.
-- Other as-of dates stay: a run replaces the rows of its own date only.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook='{{ replace_rows_of_this_date() }}'
    )
}}

with summary as (
    select * from {{ ref('bi_area_summary') }}
    where difficulty_type = 'overall'
)

select
    as_of_on,
    area_code,
    tier,
    children,
    is_hidden
from summary
