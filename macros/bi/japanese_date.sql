{% macro japanese_date(date) -%}
    {#- A date as Japanese staff write it: 2026年4月1日. -#}
    strftime({{ date }}, '%Y年%-m月%-d日')
{%- endmacro %}
