with rejects as (
    select * from {{ source('run', 'rejects') }}
)

select
    delivery_id,
    source_id,
    line_number,
    reason_code,
    column_name,
    record
from rejects
