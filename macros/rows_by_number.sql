{#- Staged rows by whether the numbers in them are on file. -#}

{% macro rows_on_file(source_id, model, columns, condition=none) -%}
    {#- SELECT source_id, delivery_id, line_number: the rows whose numbers are all people's of the register. The query has
        a CTE atena. -#}
    select
        '{{ source_id }}' as source_id,
        staged.delivery_id,
        staged.line_number
    from {{ ref(model) }} as staged
    {%- for column in columns %}
    semi join atena as people_{{ loop.index }} on staged.{{ column }} = people_{{ loop.index }}.atena_no
    {%- endfor %}
    {%- if condition %}
    where {{ condition }}
    {%- endif %}
{%- endmacro %}

{% macro rows_not_on_file(source_id, model, column, known, key) -%}
    {#- SELECT source_id, column_name, delivery_id, line_number: the rows with a number that is not among the keys of a
        CTE of the query. -#}
    select
        '{{ source_id }}' as source_id,
        '{{ column }}' as column_name,
        staged.delivery_id,
        staged.line_number
    from {{ ref(model) }} as staged
    anti join {{ known }} on staged.{{ column }} = {{ known }}.{{ key }}
    where staged.{{ column }} is not null
{%- endmacro %}
