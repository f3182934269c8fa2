{#- From which columns each observation is read. -#}
{% macro observation_columns() -%}
    select
        observation_code,
        source_id,
        unnest(string_split(column_names, '|')) as column_name
    from {{ ref('observation_codes') }}
{%- endmacro %}
