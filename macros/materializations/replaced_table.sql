{#- `replaced_table`: a table, replaced as a whole in one transaction. The adapter's `table` builds a second table and
    renames both, and asks at each model for indexes, foreign keys and grants, which this project has none of: more
    work than most models. A run that fails leaves the table as it was. -#}
{% materialization replaced_table, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if existing is not none and not existing.is_table -%}
        {{ drop_relation_if_exists(existing) }}
    {%- endif -%}
    {%- if model['language'] == 'python' -%}
        {%- set draft = make_intermediate_relation(target) -%}
        {%- call statement('drop_draft') -%}
            drop table if exists {{ draft }}
        {%- endcall -%}
        {#- The model runs in a transaction of its own, and would not see that the draft is gone. -#}
        {{ adapter.commit() }}
        {%- call statement('main', language='python') -%}
            {{ create_table_as(False, draft, compiled_code, 'python') }}
        {%- endcall -%}
        {%- call statement('replace') -%}
            drop table if exists {{ target }};
            alter table {{ draft }} rename to {{ target.identifier }}
        {%- endcall -%}
    {%- else -%}
        {%- call statement('main') -%}
            {{ replace_table_as(target, compiled_code) }}
        {%- endcall -%}
    {%- endif -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% macro replace_table_as(relation, compiled_code) -%}
    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(compiled_code) }}
        create or replace table {{ relation }}
        {{ get_table_columns_and_constraints() }};
        insert into {{ relation }} {{ get_column_names() }} (
            {{ get_select_subquery(compiled_code) }}
        )
    {%- else -%}
        create or replace table {{ relation }} as (
            {{ compiled_code }}
        )
    {%- endif -%}
{%- endmacro %}
