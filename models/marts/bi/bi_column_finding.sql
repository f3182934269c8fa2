-- Columns for which a delivery was held, for its holder and the child department: one row per delivery and column.
with

findings as (
    select * from {{ ref('fct_column_finding') }}
),

deliveries as (
    select * from {{ ref('bi_delivery') }}
)

select
    findings.delivery_id,
    findings.source_id,
    deliveries.source_label,
    deliveries.holder,
    deliveries.holder_label,
    deliveries.file_name,
    deliveries.delivered_on,
    findings.column_name,
    coalesce(findings.heading, findings.column_name) as heading,
    findings.reason_ja as finding,
    deliveries.status,
    deliveries.status_label,
    findings.accepted_by,
    findings.accepted_reason
from findings
inner join deliveries on findings.delivery_id = deliveries.delivery_id
