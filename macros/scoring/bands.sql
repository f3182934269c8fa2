{#- SQL: whether an item applies at an age in completed months (null = unknown: only to items without bounds). -#}
{% macro applies_at_age(item, age_months) -%}
    (
        ({{ item }}.age_from_months is null or {{ age_months }} >= {{ item }}.age_from_months)
        and ({{ item }}.age_to_months is null or {{ age_months }} < {{ item }}.age_to_months)
    )
{%- endmacro %}

{#- SQL: whether a value that was observed lies in a band: lower inclusive, upper exclusive, empty = open. A band for
    missing values holds observed ones too where it has a bound; with neither it holds none. -#}
{% macro lies_in_band(band, value) -%}
    (
        (not coalesce({{ band }}.when_missing, false) or coalesce({{ band }}.lower, {{ band }}.upper) is not null)
        and ({{ band }}.lower is null or {{ value }} >= {{ band }}.lower)
        and ({{ band }}.upper is null or {{ value }} < {{ band }}.upper)
    )
{%- endmacro %}
