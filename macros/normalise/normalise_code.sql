{#- Codes and words of a code list: compared in one form, written as the list's own code. -#}

{% macro normalise_code(col, spellings, kinds=none) -%}
    {{ return(adapter.dispatch('normalise_code', 'kodomo')(col, spellings, kinds)) }}
{%- endmacro %}

{% macro default__normalise_code(col, spellings, kinds=none) -%}
    {#- Both arguments are maps from comparable spellings to codes; '' is a word for nothing in a list without a code
        for it. Several kinds in one cell are read only where each of them is known and none of them says "none". -#}
    case
        when {{ col }} is not null
            then nullif(coalesce(
                {{ spellings }}[{{ comparable_code(col) }}],
                {{ spellings }}[{{ comparable_code(unnumbered(col)) }}],
                {% if kinds -%}
                list_transform(
                    [list_transform(
                        list_filter(
                            string_split_regex({{ col }}, '{{ kind_separator_pattern() }}'),
                            lambda part: {{ comparable_code('part') }} <> ''
                        ),
                        lambda part: {{ kinds }}[{{ comparable_code('part') }}]
                    )],
                    lambda codes: case
                        when len(codes) > 0 and len(codes) = list_count(codes)
                            then array_to_string(list_sort(list_distinct(codes)), '|')
                    end
                )[1],
                {% endif -%}
                'unknown'
            ), '')
    end
{%- endmacro %}

{% macro comparable_code(col) -%}
    {#- Capitals, one stroke for all strokes, one か for ヶ ケ 箇; no spaces, brackets, dots, quotes, leading zeros (a 0
        alone stays); nothing is left of marks alone. -#}
    regexp_replace(regexp_replace(translate(
        upper({{ col }}),
        '-‐‑‒–—―−－─━〜~ヶヵケカ箇 ()（）[]{}<>「」『』【】〔〕〈〉《》・·.、,，．。｡◎※"“”’‘', 'ーーーーーーーーーーーーーかかかかか'
    ), '^[ー*/\\_?;:"&+|]+$', ''), '^0+(.)', '\1')
{%- endmacro %}

{% macro unnumbered(col) -%}
    {#- Without a number that some systems write before the word: 01 身体的虐待, 1:身体的虐待. -#}
    regexp_replace({{ col }}, '^\(?[0-9]{1,3}\)?[ :.、,_ー-]*([^0-9 :.、,_ー-])', '\1')
{%- endmacro %}

{% macro kind_separator_pattern() -%}
    [・·、,/;+&| ]|及び|並びに|と
{%- endmacro %}
