{#- Kanji for matching: each variant becomes the form its family shares (髙 → 高), spaces go. -#}

{% macro match_kanji(col) -%}
    {{ return(adapter.dispatch('match_kanji', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__match_kanji(col) -%}
    {#- The subquery finds the variants in a text and what they fold to. The engine runs it once per distinct
        text, as a hash join of characters; most texts hold none. -#}
    list_transform(
        [(
            select {
                'variants': string_agg(variants.variant, '' order by variants.variant),
                'folded': string_agg(variants.folded, '' order by variants.variant)
            }
            from unnest(string_split({{ col }}, '')) as characters (character)
            inner join {{ ref('kanji_variants') }} as variants
                on characters.character = variants.variant
        )],
        lambda match: coalesce(translate({{ bare_text(col) }}, match.variants, match.folded), {{ bare_text(col) }})
    )[1]
{%- endmacro %}

{% macro bare_text(col) -%}
    {#- Without spaces, and without variation selectors: they choose a glyph, not a character. -#}
    regexp_replace({{ col }}, '[ \x{FE00}-\x{FE0F}\x{E0100}-\x{E01EF}]', '', 'g')
{%- endmacro %}
