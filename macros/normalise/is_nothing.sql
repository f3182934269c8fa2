{#- What the world writes where there is nothing to write: strokes and marks, or a word of the seed words_for_nothing. -#}

{% macro is_nothing(col) -%}
    {{ return(adapter.dispatch('is_nothing', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__is_nothing(col) -%}
    (
        {{ col }} is null
        or regexp_full_match({{ col }}, '[-‐‑‒–—―−─━ーｰ*.…・･/\\_?,;:''"()<> ]*')
        or trim(lower(replace({{ col }}, ' ', '')), '「」『』【】〔〕()[]<>。、.,*:;!''"-‐‑‒–—―−─━ーｰ')
        in (select word from {{ ref('words_for_nothing') }})
    )
{%- endmacro %}
