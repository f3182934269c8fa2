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
    person_kind,
    -- An address reveals where a person lives.
    case when not is_dv_protected then moved_from end as moved_from,
    case when not is_dv_protected then moved_to end as moved_to,
    is_deceased
from {{ ref('int_person__persons') }}
