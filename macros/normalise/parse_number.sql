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
                    {{ number_text(col, unit) }},
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

{% macro number_text(col, unit) -%}
    {#- Without spaces, a sheet's mark for text and the 第 of 第1回, and with one stroke for a minus. -#}
    {%- set text -%}
    ltrim(regexp_replace(
        regexp_replace(replace({{ col }}, ' ', ''), '^(?:[''’‘`´]|第)', ''), '^[‐‑‒–—―−─━ー△▲]', '-'
    ), '+')
    {%- endset -%}
    {%- if unit == '週' -%}
    {{ completed_weeks(text) }}
    {%- elif unit == '年度' -%}
    {{ fiscal_year_text(text) }}
    {%- elif unit == '年' -%}
    {{ school_grade_text(text) }}
    {%- else -%}
    {{ text }}
    {%- endif -%}
{%- endmacro %}

{% macro completed_weeks(text) -%}
    {#- Of weeks and days (39週3日, 39w3d, 39+3, 妊娠12週) the weeks, which are complete. -#}
    regexp_replace(
        regexp_replace({{ text }}, '^(?:妊娠|在胎|満)', ''), '^([0-9]+)(?:週間?|[wW]|\+)と?[0-6](?:日|[dD])?$', '\1'
    )
{%- endmacro %}

{% macro fiscal_year_text(text) -%}
    {#- A year of an era as the western one: 令和6年度, R6. -#}
    list_transform(
        [regexp_extract({{ text }}, '^({{ era_pattern() }})\.?([0-9]{1,2}|元)(?:年度?)?$', ['era', 'year'])],
        lambda part: case
            when part.era = '' then {{ text }}
            else {{ western_year("left(part.era, 1)", "replace(part.year, '元', '1')") }}
        end
    )[1]
{%- endmacro %}

{% macro school_grade_text(text) -%}
    {#- A grade with its school: 小3 is the third, 中1 the seventh. -#}
    list_transform(
        [regexp_extract({{ text }}, '^(小|中)(?:学校?)?第?([1-9])(?:年生?|学年)?$', ['school', 'grade'])],
        lambda part: case part.school
            when '小' then part.grade
            when '中' then cast(6 + cast(part.grade as integer) as varchar)
            else {{ text }}
        end
    )[1]
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
