-- Ends that lie before their beginning, and so are none. Grain: one row per staged row and column.
{%- for model in staged_models() %}
-- depends_on: {{ ref(model) }}
{%- endfor %}
with

discarded as (
    select
        null::varchar as source_id,
        null::varchar as column_name,
        null::varchar as delivery_id,
        null::bigint as line_number
    where false
    {%- for source in staged_sources() %}
        {%- for column, flag in source.ends %}
            union all
            select
                '{{ source.source_id }}' as source_id,
                '{{ column }}' as column_name,
                delivery_id,
                line_number
            from {{ ref(source.model) }}
            where {{ flag }}
        {%- endfor %}
    {%- endfor %}
)

select * from discarded
