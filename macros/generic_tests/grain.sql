{% test grain(model, columns) %}
    {#- The columns identify a row: none of them is empty, and no two rows share all of them. -#}
    select {{ columns | join(', ') }}
    from {{ model }}
    group by all
    having count(*) > 1{% for column in columns %} or {{ column }} is null{% endfor %}
{% endtest %}
