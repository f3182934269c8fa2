{% macro code_maps() -%}
    {#- One row per code list, as maps: from spellings to codes, from the spellings of what is not "none" to codes, and
        from codes to labels. -#}
    select
        code_list,
        map_from_entries(list((spelling, code))) as spellings,
        map_from_entries(list((spelling, code)) filter (where not is_none)) as kinds,
        map_from_entries(list(distinct (code, label_ja)) filter (where not is_none)) as labels
    from {{ ref('stg_seeds__code_spellings') }}
    group by code_list
{%- endmacro %}
