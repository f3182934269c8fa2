-- What is read from a data item that the register does not approve for determination counts in no score.
-- Grain: one row per observation code.
with data_items as (
    select * from {{ source('run', 'data_items') }}
),

observation_codes as (
    select * from {{ ref('observation_codes') }}
),

columns_read as (
    select
        observation_code,
        source_id,
        unnest(string_split(column_names, '|')) as column_name
    from observation_codes
),

approved as (
    select
        source_id,
        column_name
    from data_items
    where
        status = '承認'
        and list_contains(string_split(permitted_purposes, '|'), 'determination')
        and coalesce(valid_from, date '0001-01-01') <= {{ as_of() }}
        and coalesce(valid_to, date '9999-12-31') >= {{ as_of() }}
)

select distinct columns_read.observation_code
from columns_read
anti join approved
    on columns_read.source_id = approved.source_id and columns_read.column_name = approved.column_name
