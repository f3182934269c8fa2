-- Every fact on file. Grain: one row per source row and observation code.
{{ config(materialized='view') }}

select
    person_id,
    observation_code,
    observed_on,
    ended_on,
    value,
    text_value,
    source_id,
    delivery_id,
    line_number
from {{ ref('int_observations__all') }}
