{#- Addresses for matching: one spelling of the block number, the building apart. -#}

{% macro match_address(col) -%}
    {{ return(adapter.dispatch('match_address', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__match_address(col) -%}
    {#- The place up to the end of the first block number. Numbers that belong to a place's name (北1条) are
        passed over; a text without a number is taken whole. -#}
    list_transform(
        [{{ address_text(col) }}],
        lambda address: nullif(replace(coalesce(
            nullif(regexp_extract(address, '{{ address_pattern() }}', 1), ''), address
        ), ' ', ''), '')
    )[1]
{%- endmacro %}

{% macro address_building(col) -%}
    {{ return(adapter.dispatch('address_building', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__address_building(col) -%}
    {#- What match_address leaves out: the building and the room, as text. -#}
    nullif(trim(regexp_extract({{ address_text(col) }}, '{{ address_pattern() }}(.*)$', 2), ' -'), '')
{%- endmacro %}

{% macro address_pattern() -%}
    ^([^0-9]*(?:[0-9]+(?:条|線|区|地割)[^0-9]*)*[0-9]+(?:-(?:[0-9]+|[甲乙丙丁イロハ]+))*)
{%- endmacro %}

{% macro address_text(col) -%}
    {#- 丁目 番地 番 号 の ノ and strokes become one -, and none stays behind the last number. A space after 号
        parts the building from the number; the other words bind what follows them. -#}
    regexp_replace(
        regexp_replace(
            regexp_replace(
                translate(
                    replace(replace(replace({{ chome_digits(col) }}, '号室', '室'), '大字', ''), '字', ''),
                    'ヶが', 'ケケ'
                ),
                ' ?(?:丁目|番地|番|の|ノ|[-‐‑‒–—―−─━ー]) ?', '-', 'g'
            ),
            ' ?号|--+', '-', 'g'
        ),
        '([0-9])-+( |$|[^0-9甲乙丙丁イロハ-])', '\1\2', 'g'
    )
{%- endmacro %}

{% macro chome_digits(col) -%}
    {#- Kanji numerals before 丁目 as digits, up to 99. -#}
    {%- set chome = "regexp_extract(" ~ col ~ ", '[一二三四五六七八九十〇]+ ?丁目')" -%}
    case
        when contains({{ col }}, '丁目') and {{ chome }} <> ''
            then replace({{ col }}, {{ chome }}, translate(
                regexp_replace(regexp_replace(regexp_replace(
                    {{ chome }}, '^十( ?丁)', '一〇\1'), '^十', '一'), '十( ?丁)', '〇\1'),
                '一二三四五六七八九〇十', '1234567890'
            ))
        else {{ col }}
    end
{%- endmacro %}
