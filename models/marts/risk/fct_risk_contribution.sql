-- Other as-of dates stay: a run replaces the rows of its own date only.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook='{{ replace_rows_of_this_date() }}'
    )
}}

with contributions as (
    select * from {{ ref('int_risk__contributions') }}
)

select
    as_of_on,
    model_version,
    difficulty_type,
    person_id,
    item_code,
    band_no,
    raw_value,
    coefficient,
    is_counted,
    evidence
from contributions
