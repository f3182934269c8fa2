-- What is read from a data item that the register does not approve for determination counts in no score.
-- Grain: one row per observation code.
with data_items as (
    select * from {{ source('run', 'data_items') }}
),

columns_read as (
    {{ observation_columns() }}
),

approved as (
    select
        source_id,
        column_name
    from data_items
    where {{ is_approved_for('determination') }}
)

select distinct columns_read.observation_code
from columns_read
anti join approved
    on columns_read.source_id = approved.source_id and columns_read.column_name = approved.column_name
