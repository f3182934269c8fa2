{#- Kana for matching: full-width katakana, one stroke for all strokes, no spaces; small kana stay small. -#}

{% macro match_kana(col) -%}
    {{ return(adapter.dispatch('match_kana', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__match_kana(col) -%}
    {#- Both replacements cost more than the tests before them, and few values need either. -#}
    {%- set without_spaces = "replace(" ~ col ~ ", ' ', '')" -%}
    {%- set one_stroke -%}
        case
            when regexp_matches({{ col }}, '{{ stroke_pattern() }}')
                then regexp_replace({{ without_spaces }}, '{{ stroke_pattern() }}', 'ー', 'g')
            else {{ without_spaces }}
        end
    {%- endset -%}
    case
        when regexp_matches({{ col }}, '[ぁ-ゖゝゞ]')
            then translate(
                {{ one_stroke }},
                'ぁあぃいぅうぇえぉおかがきぎくぐけげこごさざしじすずせぜそぞただちぢっつづてでとどなにぬねのはばぱひびぴふぶぷへべぺほぼぽ'
                || 'まみむめもゃやゅゆょよらりるれろゎわゐゑをんゔゕゖゝゞ',
                'ァアィイゥウェエォオカガキギクグケゲコゴサザシジスズセゼソゾタダチヂッツヅテデトドナニヌネノハバパヒビピフブプヘベペホボポ'
                || 'マミムメモャヤュユョヨラリルレロヮワヰヱヲンヴヵヶヽヾ'
            )
        else {{ one_stroke }}
    end
{%- endmacro %}

{% macro stroke_pattern() -%}
    [-‐‑‒–—―−─━〜～~]
{%- endmacro %}
