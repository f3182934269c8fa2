{% macro child_columns(child='children') -%}
    {#- What every row about a child carries: what it is filtered by, and the departments that see it. -#}
    {{ child }}.as_of_on,
    {{ child }}.person_id,
    {{ child }}.child_label,
    {{ child }}.display_name,
    {{ child }}.age_label,
    {{ child }}.age_band,
    {{ child }}.age_band_order,
    {{ child }}.area_code,
    {{ child }}.area_name,
    {{ child }}.area_order,
    {{ child }}.school_name,
    {{ child }}.support_status_label,
    {{ child }}.departments
{%- endmacro %}
