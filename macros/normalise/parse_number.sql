{#- Numbers as people write them: thousands commas, a unit behind, spaces anywhere, △ for a minus. -#}

{% macro parse_integer(col) -%}
    {{ return(adapter.dispatch('parse_integer', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__parse_integer(col) -%}
    {#- 12.0 is a whole number, 12.5 is none: nothing is rounded. -#}
    try_cast(
        regexp_replace(
            regexp_extract(
                {{ number_text(col) }}, '^(-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+))(?:\.0*)?{{ unit_pattern() }}$', 1
            ), ',', '', 'g'
        ) as integer
    )
{%- endmacro %}

{% macro parse_decimal(col) -%}
    {{ return(adapter.dispatch('parse_decimal', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__parse_decimal(col) -%}
    try_cast(
        replace(
            regexp_extract(
                {{ number_text(col) }},
                '^(-?(?:(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)){{ unit_pattern() }}$', 1
            ), ',', ''
        ) as decimal(18, 4)
    )
{%- endmacro %}

{% macro number_text(col) -%}
    ltrim(regexp_replace(replace({{ col }}, ' ', ''), '^[−△▲]', '-'), '+')
{%- endmacro %}

{% macro unit_pattern() -%}
    (?i:k?g|mg|[cmk]?m|%|キロ(?:グラム)?|グラム|センチ(?:メートル)?|ミリ|メートル|パーセント|人|名|日間?|回|週間?|歳|才|年(?:度|生)?|学年|[かカヶケヵ箇]?月|点|本|枚|件|個|時間|分|円|度|世帯)?
{%- endmacro %}
