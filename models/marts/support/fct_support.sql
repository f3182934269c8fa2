with supports as (
    select * from {{ source('entry', 'supports') }}
)

select
    support_id,
    decision_id,
    person_id,
    started_on,
    ended_on,
    support_content,
    lead_agency,
    outcome,
    entered_by,
    entered_at
from supports
