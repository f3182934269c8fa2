-- Codes and words outside their list, per delivery: what a steward has to settle with the holder. The word itself is
-- no value of a person, and the steward cannot decide without it.
{%- set coded = [] %}
{%- if execute %}
    {%- set contracts = graph.sources.values() | selectattr('source_name', 'equalto', 'raw') %}
    {%- for contract in contracts | sort(attribute='name') %}
        {%- for column in contract.columns.values() if column.config.meta.type == 'code' %}
            {%- set meta = column.config.meta %}
            {%- set holds_several = meta.get('holds_several', false) %}
            {%- do coded.append((contract.name, column.name, meta.heading, meta.code_list, holds_several)) %}
        {%- endfor %}
    {%- endfor %}
{%- endif %}

with code_maps as (
    {{ code_maps() }}
),

delivered_codes as (
    select
        null::varchar as delivery_id,
        null::varchar as source_id,
        null::varchar as column_name,
        null::varchar as heading,
        null::varchar as code_list,
        null::boolean as holds_several,
        null::varchar as delivered_code,
        null::bigint as row_count
    where false
    {%- for source_id, column_name, heading, code_list, holds_several in coded %}
        union all
        select
            delivery_id,
            '{{ source_id }}' as source_id,
            '{{ column_name }}' as column_name,
            '{{ heading }}' as heading,
            '{{ code_list }}' as code_list,
            {{ holds_several }} as holds_several,
            {{ column_name }} as delivered_code,
            count(*) as row_count
        from {{ source('raw', source_id) }}
        where {{ column_name }} is not null
        group by delivery_id, {{ column_name }}
    {%- endfor %}
),

-- Each text once: to read one takes longer than to count it.
delivered_texts as (
    select distinct
        code_list,
        holds_several,
        delivered_code
    from delivered_codes
),

unknown_texts as (
    select
        delivered_texts.code_list,
        delivered_texts.holds_several,
        delivered_texts.delivered_code
    from delivered_texts
    inner join code_maps on delivered_texts.code_list = code_maps.code_list
    where
        case
            when delivered_texts.holds_several
                then {{ normalise_code(
                    'delivered_texts.delivered_code', 'code_maps.spellings', 'code_maps.kinds'
                ) }}
            else {{ normalise_code('delivered_texts.delivered_code', 'code_maps.spellings') }}
        end = 'unknown'
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
inner join unknown_texts
    on
        delivered_codes.code_list = unknown_texts.code_list
        and delivered_codes.holds_several = unknown_texts.holds_several
        and delivered_codes.delivered_code = unknown_texts.delivered_code
