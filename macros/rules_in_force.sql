{#
  The rules that hold for a child as a whole: those of the active version that has some, else those without a version.
  Of several such versions, which a check of the definition reports, the last to begin counts.
#}
{% macro rules_in_force(rules, active_versions) -%}
    select {{ rules }}.*
    from {{ rules }}
    left join {{ active_versions }} on {{ rules }}.model_version = {{ active_versions }}.model_version
    where {{ rules }}.model_version is null or {{ active_versions }}.model_version is not null
    qualify
        dense_rank() over (
            order by {{ active_versions }}.valid_from desc nulls last, {{ rules }}.model_version desc nulls last
        ) = 1
{%- endmacro %}
