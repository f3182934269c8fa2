{#- Numbers as people write them: thousands commas, spaces anywhere, △ for a minus, and a unit behind, which decides:
    3kg in a column of grams are 3000. A unit that is not one of the column's (seed units) makes it no number. -#}

{% macro parse_integer(col, unit=none) -%}
    {{ return(adapter.dispatch('parse_integer', 'kodomo')(col, unit)) }}
{%- endmacro %}

{% macro default__parse_integer(col, unit=none) -%}
    {#- 12.0 is a whole number, 12.5 is none: nothing is rounded. -#}
    list_transform(
        [{{ parse_decimal(col, unit) }}],
        lambda number: case when number = trunc(number) then try_cast(number as integer) end
    )[1]
{%- endmacro %}

{% macro parse_decimal(col, unit=none) -%}
    {{ return(adapter.dispatch('parse_decimal', 'kodomo')(col, unit)) }}
{%- endmacro %}

{% macro default__parse_decimal(col, unit=none) -%}
    {#- What stands behind the sixth decimal place is cut off, never rounded: a band compares what was written. Most
        values have no unit, and do not pay for one. -#}
    case
        when regexp_full_match({{ col }}, '[0-9]+(?:\.[0-9]{1,6})?') then try_cast({{ col }} as decimal(18, 6))
        else list_transform(
            [{
                'part': regexp_extract(
                    {{ number_text(col) }},
                    '^(-?(?:(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]{0,6})?|\.[0-9]{1,6}))[0-9]*([^0-9.,].*)?$',
                    ['number', 'unit']
                ),
                'factors': {{ unit_factors(unit) }}
            }],
            lambda match: try_cast(
                try_cast(replace(match.part.number, ',', '') as decimal(28, 6))
                * case when match.part.unit = '' then 1 else match.factors[lower(match.part.unit)] end
                as decimal(18, 6)
            )
        )[1]
    end
{%- endmacro %}

{% macro unit_factors(unit) -%}
    {#- A map from each spelling of a unit to what one of it is in the column's unit. -#}
    (
        select map_from_entries(list((spelling, cast(factor as decimal(9, 3)))))
        from {{ ref('units') }}
        where unit = '{{ unit }}'
    )
{%- endmacro %}

{% macro number_text(col) -%}
    ltrim(regexp_replace(replace({{ col }}, ' ', ''), '^[−△▲]', '-'), '+')
{%- endmacro %}

{% macro plausible_number(number, least, most) -%}
    {#- A number, unless it lies outside what the column can hold. -#}
    {%- if least is none -%}
    {{ number }}
    {%- else -%}
    list_transform(
        [{{ number }}], lambda number: case when number between {{ least }} and {{ most }} then number end
    )[1]
    {%- endif %}
{%- endmacro %}

{% macro number_status(col, number, least, most) -%}
    {{ return(adapter.dispatch('number_status', 'kodomo')(col, number, least, most)) }}
{%- endmacro %}

{% macro default__number_status(col, number, least, most) -%}
    case
        when coalesce({{ col }}, '') = '' then 'none'
        when {{ number }} is not null
            then {% if least is none %}'ok'{% else %}case
                when {{ number }} between {{ least }} and {{ most }} then 'ok' else 'implausible'
            end{% endif %}
        when {{ is_nothing(col) }} then 'none'
        else 'impossible'
    end
{%- endmacro %}
