{#- The id of a task of data quality: the same as long as it is about the same, in every batch. Entries that accept the
    task name it. -#}
{% macro quality_task_id(columns) -%}
    md5(concat_ws('|'{% for column in columns %}, coalesce({{ column }}, ''){% endfor %}))
{%- endmacro %}
