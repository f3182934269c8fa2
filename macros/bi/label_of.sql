{% macro label_of(list, column, otherwise='null') -%}
    {#- The Japanese label of a code. ``list``: its list in the project's labels; ``otherwise``: SQL for other codes. -#}
    case {{ column }}
        {%- for code, entry in var('labels')[list].items() %}
        when '{{ code }}' then '{{ entry.label }}'
        {%- endfor %}
        else {{ otherwise }}
    end
{%- endmacro %}

{% macro department_label(column) -%}
    {#- The Japanese name of a department. ``column``: its code. -#}
    case {{ column }}
        {%- for code, label in var('departments').items() %}
        when '{{ code }}' then '{{ label }}'
        {%- endfor %}
    end
{%- endmacro %}
