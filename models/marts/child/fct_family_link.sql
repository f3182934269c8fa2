-- The genogram: typed, dated edges between people. Grain: see int_family__links.
select
    from_person_id,
    to_person_id,
    link_type,
    valid_from,
    valid_to,
    origin,
    confidence,
    link_kind,
    household_id
from {{ ref('int_family__links') }}
