{#- One kind of observation, read from the rows of a CTE that says of whom and of when each row tells:
    person_id, observed_on, ended_on, source_id, delivery_id, line_number. A row without a date tells nothing. -#}
{% macro observation(
    observation_code, facts, when=none, value=none, text_value=none, observed_on='observed_on', ended_on='ended_on'
) -%}
    select
        person_id,
        '{{ observation_code }}' as observation_code,
        {{ observed_on }} as observed_on,
        cast({{ ended_on or 'null' }} as date) as ended_on,
        cast({{ value or 'null' }} as decimal(18, 4)) as value,
        cast({{ text_value or 'null' }} as varchar) as text_value,
        source_id,
        delivery_id,
        line_number
    from {{ facts }}
    where {{ observed_on }} is not null{% if when %} and ({{ when }}){% endif %}
{%- endmacro %}
