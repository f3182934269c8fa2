{% test codes_in_lists(model, codes) %}
    {#- ``codes``: column → code list. Each code is in its list, or is the word `unknown`. -#}
    {% for column, code_list in codes.items() %}
    select
        '{{ column }}' as column_name,
        {{ column }} as code
    from {{ model }}
    where
        {{ column }} <> 'unknown'
        and not list_has_all(
            (select list(code) from {{ ref('code_lists') }} where code_list = '{{ code_list }}'),
            string_split({{ column }}, '|')
        )
    {{ 'union all' if not loop.last }}
    {% endfor %}
{% endtest %}
