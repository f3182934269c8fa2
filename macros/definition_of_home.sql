{#
  The statement that gives a seed of the risk definition the rows that a run put into schema raw (`record_run`); nothing
  where the seeds are in force. For post-hooks of seeds.
#}
{% macro definition_of_home() -%}
    {%- set name = 'definition_' ~ this.identifier -%}
    {%- set kept = adapter.get_relation(database=this.database, schema='raw', identifier=name) -%}
    {%- if kept is not none -%}
        create or replace table {{ this }} as select * from {{ kept }}
    {%- endif -%}
{%- endmacro %}
