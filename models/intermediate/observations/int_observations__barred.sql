-- What is read from a data item that the register does not approve for a purpose is not used for it.
-- Grain: one row per purpose and observation code.
with data_items as (
    select * from {{ source('run', 'data_items') }}
),

purposes as (
    select unnest(['determination', 'bi', 'meeting']) as purpose
),

columns_read as (
    {{ observation_columns() }}
),

approved as (
    select
        purposes.purpose,
        data_items.source_id,
        data_items.column_name
    from data_items
    cross join purposes
    where {{ is_approved_for('purposes.purpose') }}
)

select distinct
    purposes.purpose,
    columns_read.observation_code
from columns_read
cross join purposes
anti join approved
    on
        purposes.purpose = approved.purpose
        and columns_read.source_id = approved.source_id
        and columns_read.column_name = approved.column_name
