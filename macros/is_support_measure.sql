{% macro is_support_measure(measure_class, measure_from, measure_until) -%}
    {#- A date without a class is a damaged record of a family in hiding, and an unknown class may be one: both protect. -#}
    (
        {{ names_kind(measure_class, 'support_measure_class') }}
        or {{ measure_class }} = 'unknown'
        or coalesce({{ measure_from }}, {{ measure_until }}) is not null
    )
{%- endmacro %}
