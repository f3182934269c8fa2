-- Who each record of a source without 宛名番号 is. Grain: one row per source_id and source_key.
select
    source_id,
    source_key,
    -- For a pair under review: the person who was proposed.
    person_id,
    method,
    probability,
    status,
    decided_by,
    decided_on,
    reason
from {{ ref('int_identity__decisions') }}
