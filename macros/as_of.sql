{% macro as_of() -%}
    {#- The as-of date of the run, as a scalar: data, not a variable, so that compiled SQL is the same for every date. -#}
    (select as_of_on from {{ source('run', 'run_parameters') }})
{%- endmacro %}
