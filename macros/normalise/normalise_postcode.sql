{% macro normalise_postcode(col) -%}
    {{ return(adapter.dispatch('normalise_postcode', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__normalise_postcode(col) -%}
    {#- Seven digits, with or without 〒 and a stroke; anything else is no postcode. -#}
    nullif(regexp_replace(
        {{ col }}, '^(?:〒? *([0-9]{3}) *[-‐‑‒–—―−─ー]? *([0-9]{4})|.*)$', '\1\2'
    ), '')
{%- endmacro %}
