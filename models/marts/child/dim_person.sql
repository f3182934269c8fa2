-- Everyone whom the data know. Grain: one row per person.
select
    person_id,
    atena_no,
    display_name,
    kana,
    birth_on,
    sex,
    household_id,
    area_code,
    is_resident,
    due_on,
    is_dv_protected,
    resident_from,
    resident_until,
    person_kind
from {{ ref('int_person__persons') }}
