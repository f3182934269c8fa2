-- Grain: one row per source row and kind.
{{ config(materialized='view') }}

select
    person_id,
    seen_on,
    kind,
    holder,
    source_id,
    delivery_id,
    line_number,
    kind_label,
    observation_code,
    is_latest
from {{ ref('int_child__sightings') }}
