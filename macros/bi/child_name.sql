{% macro child_name(child='children', person='persons') -%}
    {#- The name of a child for people: one before birth has none yet. ``child``: a row of dim_child; ``person``: the
        row of dim_person, if there is one. -#}
    coalesce(
        nullif({{ person }}.display_name, ''),
        case when {{ child }}.is_unborn then '（出生前）' end,
        '{{ var('nameless') }}'
    )
{%- endmacro %}
