{#- What counts of the contributions in a relation (CTE): columns of the relation, and is_counted.

    In a group that combines by `max` only the largest contribution counts (ties: lowest item_code). Grain of the
    relation: person, version, difficulty type, item. -#}
{% macro resolve_groups(contributions) -%}
    select
        contribution.*,
        coalesce(risk_groups.combine, 'sum') <> 'max'
        or row_number() over (
            partition by
                contribution.person_id, contribution.model_version,
                contribution.difficulty_type, contribution.group_code
            order by contribution.coefficient desc, contribution.item_code
        ) = 1 as is_counted
    from {{ contributions }} as contribution
    left join risk_groups on contribution.group_code = risk_groups.group_code
{%- endmacro %}

{#- The cut of each group whose counted total exceeds its cap, as contribution rows of its own:
    item_code = the group's code, raw_value = the uncut total, coefficient = cap − total. Combinations have groups
    of their own: their totals are cut apart. -#}
{% macro cap_cuts(resolved) -%}
    select
        resolved.person_id,
        resolved.model_version,
        resolved.difficulty_type,
        resolved.group_code as item_code,
        cast(null as integer) as band_no,
        cast(sum(resolved.coefficient) as decimal(38, 6)) as raw_value,
        cast(any_value(risk_groups.cap) - sum(resolved.coefficient) as decimal(18, 3)) as coefficient,
        true as is_counted,
        cast(null as varchar) as evidence
    from {{ resolved }} as resolved
    inner join risk_groups on resolved.group_code = risk_groups.group_code
    where resolved.is_counted and risk_groups.cap is not null
    group by
        resolved.person_id, resolved.model_version, resolved.difficulty_type, resolved.group_code, resolved.is_combination
    having sum(resolved.coefficient) > any_value(risk_groups.cap)
{%- endmacro %}
