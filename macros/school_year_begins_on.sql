{% macro school_year_begins_on(day) -%}
    {#- The first of April on or before a day: ages of that day decide about school. -#}
    make_date(cast(year({{ day }}) - case when month({{ day }}) < 4 then 1 else 0 end as integer), 4, 1)
{%- endmacro %}
