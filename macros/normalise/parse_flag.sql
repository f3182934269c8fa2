{% macro parse_flag(col) -%}
    {{ return(adapter.dispatch('parse_flag', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__parse_flag(col) -%}
    {#- An empty cell says nothing: it stays unknown, also where a form leaves the cell empty for "no". A number before
        the word, as some systems write it (1:有), is passed over. -#}
    {%- set word = "lower(replace(" ~ col ~ ", ' ', ''))" -%}
    coalesce({{ flag_words() }}[{{ word }}], {{ flag_words() }}[{{ unnumbered(word) }}])
{%- endmacro %}

{% macro flag_words() -%}
    {#- A map from each word for yes or no to which of them it is. -#}
    (select map_from_entries(list((word, cast(is_yes as boolean)))) from {{ ref('flag_words') }})
{%- endmacro %}
