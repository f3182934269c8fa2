{% macro normalise_id(col, width=none) -%}
    {{ return(adapter.dispatch('normalise_id', 'kodomo')(col, width)) }}
{%- endmacro %}

{% macro default__normalise_id(col, width=none) -%}
    {#- Ids are text. With a width, numbers are padded on the left with zeros (and surplus zeros go), so that
        every spelling of a number is one id; a number of zeros only is a way to write "nobody". -#}
    case
        when {{ is_damaged_id(col) }} then null
        {% if width -%}
        when {{ is_nobody(col) }} then null
        when regexp_full_match(replace({{ col }}, ' ', ''), '[0-9]+') then
            case
                when length(ltrim(replace({{ col }}, ' ', ''), '0')) <= {{ width }}
                    then lpad(ltrim(replace({{ col }}, ' ', ''), '0'), {{ width }}, '0')
                else ltrim(replace({{ col }}, ' ', ''), '0')
            end
        {% endif -%}
        else nullif(replace({{ col }}, ' ', ''), '')
    end
{%- endmacro %}

{% macro is_nobody(col) -%}
    {#- The number of a person or a household that is zeros only. -#}
    ltrim(replace({{ col }}, ' ', ''), '0') = ''
{%- endmacro %}

{% macro is_damaged_id(col) -%}
    {{ return(adapter.dispatch('is_damaged_id', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__is_damaged_id(col) -%}
    {#- What a spreadsheet makes of a long number: 1.23E+10, or ##### where the column was too narrow. -#}
    coalesce(
        regexp_matches(
            replace({{ col }}, ' ', ''), '^(?:[0-9]+\.[0-9]*[Ee][+-]?[0-9]+|[0-9]+[Ee][+][0-9]+|#.*)$'
        ), false
    )
{%- endmacro %}
