{% test unique_combination(model, columns) %}
    {#- No two rows share all of ``columns`` (empty values count as a value of their own). -#}
    select {{ columns | join(', ') }}
    from {{ model }}
    group by all
    having count(*) > 1
{% endtest %}
