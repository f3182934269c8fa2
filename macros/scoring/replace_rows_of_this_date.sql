{#- Hook before an incremental model that keeps a row set per as-of date: takes out the rows of this run's date, also
    when the run brings none. -#}
{% macro replace_rows_of_this_date() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where as_of_on = {{ as_of() }}
    {%- endif -%}
{%- endmacro %}
