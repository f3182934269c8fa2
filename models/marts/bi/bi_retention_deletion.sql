-- What was deleted because its retention was over, in words: one row per delivery and what was deleted of it.
with

deletions as (
    select * from {{ ref('fct_retention_deletion') }}
),

data_items as (
    select * from {{ ref('fct_data_item') }}
),

holders as (
    {{ source_holders() }}
)

select
    deletions.delivery_id,
    deletions.source_id,
    holders.source_label,
    holders.holder,
    holders.holder_label,
    case deletions.what
        when 'original' then '納品ファイルの原本'
        when 'rejected_records' then '不受理の記録'
        when 'column' then '項目の値'
        when 'rows' then '記録'
        else '入力された記録'
    end as what_label,
    coalesce(data_items.heading, '') as heading,
    deletions.item_count,
    deletions.kept_from,
    deletions.kept_until,
    deletions.retention_months,
    deletions.deleted_at
from deletions
inner join holders on deletions.source_id = holders.source_id
left join data_items
    on deletions.source_id = data_items.source_id and deletions.column_name = data_items.column_name
