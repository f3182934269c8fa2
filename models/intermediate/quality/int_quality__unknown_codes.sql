-- Codes outside their list, per delivery: what a steward has to settle with the holder. The code itself is no
-- value of a person, and the steward cannot decide without it.
{%- set coded = [] %}
{%- if execute %}
    {%- set contracts = graph.sources.values() | selectattr('source_name', 'equalto', 'raw') %}
    {%- for contract in contracts | sort(attribute='name') %}
        {%- for column in contract.columns.values() if column.config.meta.type == 'code' %}
            {%- set meta = column.config.meta %}
            {%- do coded.append((contract.name, column.name, meta.heading, meta.code_list)) %}
        {%- endfor %}
    {%- endfor %}
{%- endif %}

with spellings as (
    {{ code_spellings() }}
),

delivered_codes as (
    select
        null::varchar as delivery_id,
        null::varchar as source_id,
        null::varchar as column_name,
        null::varchar as heading,
        null::varchar as code_list,
        null::varchar as delivered_code,
        null::bigint as row_count
    where false
    {%- for source_id, column_name, heading, code_list in coded %}
        union all
        select
            delivery_id,
            '{{ source_id }}' as source_id,
            '{{ column_name }}' as column_name,
            '{{ heading }}' as heading,
            '{{ code_list }}' as code_list,
            {{ column_name }} as delivered_code,
            count(*) as row_count
        from {{ source('raw', source_id) }}
        where {{ column_name }} is not null
        group by delivery_id, {{ column_name }}
    {%- endfor %}
)

select
    delivered_codes.delivery_id,
    delivered_codes.source_id,
    delivered_codes.column_name,
    delivered_codes.heading,
    delivered_codes.code_list,
    delivered_codes.delivered_code,
    delivered_codes.row_count
from delivered_codes
left join spellings
    on
        delivered_codes.code_list = spellings.code_list
        and {{ comparable_code('delivered_codes.delivered_code') }} = spellings.spelling
where spellings.code is null
