{#- Codes are compared without leading zeros and written in the spelling of their list. -#}

{% macro normalise_code(col, code_list) -%}
    {{ return(adapter.dispatch('normalise_code', 'kodomo')(col, code_list)) }}
{%- endmacro %}

{% macro default__normalise_code(col, code_list) -%}
    {#- code_list is a map from comparable spellings to codes; a code outside its list becomes `unknown`. -#}
    case
        when {{ comparable_code(col) }} is not null
            then coalesce({{ code_list }}[{{ comparable_code(col) }}], 'unknown')
    end
{%- endmacro %}

{% macro comparable_code(col) -%}
    ltrim(replace({{ col }}, ' ', ''), '0')
{%- endmacro %}
