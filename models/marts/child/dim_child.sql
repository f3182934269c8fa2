-- The children who are scored, from before birth to 18. Grain: one row per child.
{{ config(materialized='view') }}

select
    person_id,
    is_unborn,
    age_months,
    area_code,
    household_id,
    mother_id,
    father_id,
    is_known_to_services,
    birth_on,
    due_on,
    sex,
    is_dv_protected,
    last_seen_on,
    last_seen_by,
    last_seen_kind
from {{ ref('int_child__profiles') }}
