{% macro months_between(from_on, to_on) -%}
    {{ return(adapter.dispatch('months_between', 'kodomo')(from_on, to_on)) }}
{%- endmacro %}

{% macro default__months_between(from_on, to_on) -%}
    {#- Completed months: the last one counts from the same day of the month on. -#}
    (
        (year({{ to_on }}) - year({{ from_on }})) * 12 + month({{ to_on }}) - month({{ from_on }})
        - case when day({{ to_on }}) < day({{ from_on }}) then 1 else 0 end
    )
{%- endmacro %}
