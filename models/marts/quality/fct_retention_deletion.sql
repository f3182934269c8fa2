-- What was deleted because its retention was over, and why.
with deletions as (
    select * from {{ source('run', 'retention_deletions') }}
)

select
    delivery_id,
    source_id,
    what,
    coalesce(column_name, '') as column_name,
    item_count,
    kept_from,
    kept_until,
    retention_months,
    deleted_at,
    deleted_by
from deletions
