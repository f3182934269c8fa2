{#- Kanji for matching: each variant becomes the form its family shares (髙 → 高), spaces go. -#}

{% macro match_kanji(col) -%}
    {{ return(adapter.dispatch('match_kanji', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__match_kanji(col) -%}
    {#- A correlated subquery: the engine runs it once per distinct text, as a hash join of its characters with
        the table. Variation selectors choose a glyph, not a character, and are dropped. -#}
    (
        select
            string_agg(coalesce(variants.folded, characters.character), '' order by characters.position)
        from unnest(string_split(regexp_replace({{ col }}, '[ \x{FE00}-\x{FE0F}\x{E0100}-\x{E01EF}]', '', 'g'), ''))
            with ordinality as characters (character, position)
        left join {{ ref('kanji_variants') }} as variants
            on characters.character = variants.variant
    )
{%- endmacro %}
