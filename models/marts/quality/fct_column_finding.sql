-- Columns for which a delivery was held, and what a steward has accepted of them: one row per delivery and column.
with

findings as (
    select * from {{ source('run', 'delivery_findings') }}
),

acceptances as (
    select * from {{ source('run', 'finding_acceptances') }}
),

data_items as (
    select * from {{ source('run', 'data_items') }}
),

latest_acceptances as (
    select
        delivery_id,
        column_name,
        accepted_by,
        reason,
        accepted_at
    from acceptances
    qualify row_number() over (partition by delivery_id, column_name order by accepted_at desc) = 1
)

select
    findings.delivery_id,
    findings.source_id,
    findings.column_name,
    data_items.heading,
    findings.measure,
    findings.deviation,
    findings.reason,
    findings.reason_ja,
    latest_acceptances.accepted_by,
    latest_acceptances.accepted_at,
    latest_acceptances.reason as accepted_reason
from findings
left join latest_acceptances
    on
        findings.delivery_id = latest_acceptances.delivery_id
        and findings.column_name = latest_acceptances.column_name
left join data_items
    on
        findings.source_id = data_items.source_id
        and findings.column_name = data_items.column_name
