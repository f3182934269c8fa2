-- What was delivered, and what became of it: one row per delivery, for its holder and the child department.
with

deliveries as (
    select * from {{ ref('fct_delivery') }}
),

layouts as (
    select * from {{ source('run', 'layouts') }}
),

holders as (
    {{ source_holders() }}
),

finding_counts as (
    select
        delivery_id,
        count(*)::integer as finding_count
    from {{ ref('fct_column_finding') }}
    group by delivery_id
)

select
    deliveries.delivery_id,
    deliveries.source_id,
    coalesce(holders.source_label, '不明なデータ') as source_label,
    coalesce(holders.holder, 'child') as holder,
    coalesce(holders.holder_label, '{{ var('departments').child }}') as holder_label,
    deliveries.file_name,
    deliveries.delivered_on,
    case deliveries.kind
        when 'full' then '全件' when 'delta' then '差分' when 'entry' then '入力画面' else '—'
    end as kind_label,
    deliveries.encoding,
    deliveries.rows_read,
    deliveries.rows_loaded,
    deliveries.rows_rejected,
    deliveries.status,
    {{ label_of('delivery_status', 'deliveries.status', 'deliveries.status') }} as status_label,
    coalesce(deliveries.reason_ja, deliveries.reason) as reason,
    layouts.title as layout_label,
    coalesce(finding_counts.finding_count, 0) as finding_count
from deliveries
left join holders on deliveries.source_id = holders.source_id
left join layouts
    on deliveries.source_id = layouts.source_id and deliveries.layout = layouts.layout
left join finding_counts on deliveries.delivery_id = finding_counts.delivery_id
