{#- Condition on the register of data items: whether an item is approved on the as-of date for a purpose, given as SQL. -#}
{% macro is_approved_for(purpose) -%}
    status = '承認'
    and list_contains(string_split(permitted_purposes, '|'), {{ purpose }})
    and coalesce(valid_from, date '0001-01-01') <= {{ as_of() }}
    and coalesce(valid_to, date '9999-12-31') >= {{ as_of() }}
{%- endmacro %}
