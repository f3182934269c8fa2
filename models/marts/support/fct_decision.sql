with decisions as (
    select * from {{ source('entry', 'decisions') }}
)

select
    decision_id,
    person_id,
    meeting_on,
    decided_on,
    decision,
    agrees_with_tier,
    disagreement_reason,
    support_content,
    lead_agency,
    review_on,
    decided_by,
    entered_at,
    disagreement_item,
    row_number() over (
        partition by person_id
        order by coalesce(meeting_on, decided_on) desc, entered_at desc, decision_id desc
    ) = 1 as is_latest,
    as_of_then
from decisions
