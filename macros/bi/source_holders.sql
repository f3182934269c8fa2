{% macro source_holders() -%}
    {#- Who holds which source, as rows (source_id, source_label, holder, holder_label): the contract says it once,
        in the source's yml, and this reads it from there. -#}
    {%- if execute -%}
        {%- set tables = graph.sources.values() | selectattr('source_name', 'equalto', 'raw')
            | sort(attribute='name') -%}
        {%- for table in tables %}
        select
            '{{ table.name }}' as source_id,
            '{{ table.description.split("（")[0] }}' as source_label,
            '{{ table.config.meta.holder }}' as holder,
            '{{ table.config.meta.get('holder_ja') or var('departments')[table.config.meta.holder] }}' as holder_label
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
    {%- else -%}
        select '' as source_id, '' as source_label, '' as holder, '' as holder_label
    {%- endif %}
{%- endmacro %}
