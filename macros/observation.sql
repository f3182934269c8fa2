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
        cast({{ value or 'null' }} as decimal(18, 6)) as value,
        cast({{ text_value or 'null' }} as varchar) as text_value,
        source_id,
        delivery_id,
        line_number
    from {{ facts }}
    where {{ observed_on }} is not null{% if when %} and ({{ when }}){% endif %}
{%- endmacro %}

{#- A share or a quotient of whole numbers, cut off behind the sixth decimal place and never rounded: a band compares
    what was observed. Empty where there is nothing to divide by. -#}
{% macro exact_ratio(numerator, denominator) -%}
    cast(
        cast(
            cast({{ numerator }} as hugeint) * 1000000 // nullif(cast({{ denominator }} as hugeint), 0)
            as decimal(38, 0)
        ) * 0.000001 as decimal(18, 6)
    )
{%- endmacro %}
