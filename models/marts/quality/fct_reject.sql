with rejects as (
    select * from {{ source('run', 'reject_states') }}
)

select
    delivery_id,
    source_id,
    line_number,
    reason_code,
    column_name,
    record,
    state,
    resolved_by_delivery_id,
    resolved_line_number,
    resolved_at
from rejects
