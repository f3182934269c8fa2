-- Each source that a holder delivers, and whether its next delivery is late on the as-of date.
{%- set tables = [] %}
{%- if execute %}
    {%- set contracts = graph.sources.values() | selectattr('source_name', 'equalto', 'raw') %}
    {%- for table in contracts | sort(attribute='name') %}
        {%- do tables.append(table) if table.config.meta.rhythm %}
    {%- endfor %}
{%- endif %}

with

deliveries as (
    select * from {{ ref('fct_delivery') }}
),

rejects as (
    select * from {{ ref('fct_reject') }}
),

rhythms as (
    select
        null::varchar as source_id,
        null::varchar as rhythm,
        null::integer as late_after_days
    where false
    {%- for table in tables %}
        union all
        select
            '{{ table.name }}' as source_id,
            '{{ table.config.meta.rhythm }}' as rhythm,
            {{ table.config.meta.late_after_days }} as late_after_days
    {%- endfor %}
),

last_deliveries as (
    select
        source_id,
        max(delivered_on) as last_delivered_on
    from deliveries
    -- What comes of the future does not hide that today's is missing.
    where status = 'loaded' and delivered_on <= {{ as_of() }}
    group by source_id
),

open_rejects as (
    select
        source_id,
        count(*) as open_rejects
    from rejects
    where state = 'open'
    group by source_id
)

select
    rhythms.source_id,
    rhythms.rhythm,
    rhythms.late_after_days,
    last_deliveries.last_delivered_on,
    last_deliveries.last_delivered_on + rhythms.late_after_days as late_from,
    coalesce({{ as_of() }} >= last_deliveries.last_delivered_on + rhythms.late_after_days, true) as is_late,
    cast(
        greatest({{ as_of() }} - last_deliveries.last_delivered_on - rhythms.late_after_days, 0) as integer
    ) as days_late,
    coalesce(open_rejects.open_rejects, 0) as open_rejects
from rhythms
left join last_deliveries on rhythms.source_id = last_deliveries.source_id
left join open_rejects on rhythms.source_id = open_rejects.source_id
