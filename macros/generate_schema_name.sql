{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- One warehouse file per city: schemas carry the layer's own name, without the target's prefix. -#}
    {{ custom_schema_name if custom_schema_name else target.schema }}
{%- endmacro %}
