{% macro without_city(address) -%}
    {#- An address without prefecture and city, where they are this city's. ``address``: in the form of match_address. -#}
    regexp_replace({{ address }}, '{{ var('city_prefix') }}', '')
{%- endmacro %}
