{#- What a code of a class column means. Such a column holds the codes of its list, joined by | where one cell named
    several kinds; `unknown` for a word outside the list. -#}

{% macro names_kind(col, code_list) -%}
    {#- Whether the list knows a kind in it that is not "none". -#}
    coalesce(list_has_any(
        string_split({{ col }}, '|'),
        (select list(code) from {{ ref('code_lists') }} where code_list = '{{ code_list }}' and not is_none)
    ), false)
{%- endmacro %}

{% macro kind_means(col, code_list, meaning) -%}
    {#- Whether the seed code_meanings gives one of its codes that meaning. -#}
    coalesce(list_has_any(
        string_split({{ col }}, '|'),
        (
            select list(code) from {{ ref('code_meanings') }}
            where code_list = '{{ code_list }}' and meaning = '{{ meaning }}'
        )
    ), false)
{%- endmacro %}

{% macro has_code(col, code) -%}
    {#- Whether the code is one of its codes. -#}
    coalesce(list_contains(string_split({{ col }}, '|'), '{{ code }}'), false)
{%- endmacro %}
