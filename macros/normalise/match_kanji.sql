{#- Kanji for matching: each variant becomes the form its family shares (髙 → 高), spaces go. -#}

{% macro match_kanji(col) -%}
    {{ return(adapter.dispatch('match_kanji', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__match_kanji(col) -%}
    {#- The subquery finds the variants in a text, each as two characters: variant and folded form. The engine
        runs it once per distinct text, as a hash join of characters. Most texts hold none. -#}
    coalesce(
        list_reduce(
            (
                select list(variants.variant || variants.folded)
                from unnest(string_split({{ col }}, '')) as characters (character)
                inner join {{ ref('kanji_variants') }} as variants
                    on characters.character = variants.variant
            ),
            lambda text, pair: replace(text, left(pair, 1), right(pair, 1)),
            {{ bare_text(col) }}
        ),
        {{ bare_text(col) }}
    )
{%- endmacro %}

{% macro bare_text(col) -%}
    {#- Without spaces, and without variation selectors: they choose a glyph, not a character. -#}
    regexp_replace({{ col }}, '[ \x{FE00}-\x{FE0F}\x{E0100}-\x{E01EF}]', '', 'g')
{%- endmacro %}
