-- The register of data items, and how complete each is: one row per source and column.
with

items as (
    select * from {{ ref('fct_data_item') }}
),

holders as (
    {{ source_holders() }}
)

select
    items.source_id,
    holders.source_label,
    holders.holder,
    holders.holder_label,
    items.column_name,
    items.heading,
    items.status as item_status,
    items.purpose,
    items.legal_basis,
    items.retention_months,
    items.row_count,
    items.filled_count,
    items.unreadable_count,
    round(items.filled_count / nullif(items.row_count, 0), 4) as filled_share
from items
inner join holders on items.source_id = holders.source_id
