with deliveries as (
    select * from {{ source('run', 'deliveries') }}
)

select
    delivery_id,
    source_id,
    file_name,
    sha256,
    delivered_on,
    kind,
    encoding,
    rows_read,
    rows_loaded,
    rows_rejected,
    status,
    reason,
    reason_ja,
    received_at,
    sequence,
    layout
from deliveries
