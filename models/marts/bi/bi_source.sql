-- Each source that a holder delivers, with the sources that are late: one row per source.
with

sources as (
    select * from {{ ref('fct_source') }}
),

holders as (
    {{ source_holders() }}
)

select
    sources.source_id,
    holders.source_label,
    holders.holder,
    holders.holder_label,
    sources.rhythm,
    sources.last_delivered_on,
    sources.late_from,
    sources.is_late,
    sources.days_late,
    case
        when sources.last_delivered_on is null then '未納品'
        when sources.is_late then '遅れ'
        else '期限内'
    end as lateness_label,
    sources.open_rejects
from sources
inner join holders on sources.source_id = holders.source_id
