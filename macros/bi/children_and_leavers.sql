{% macro children_and_leavers() -%}
    {#- SELECT child_columns, is_dv_protected, tier, tier_label, difficulty_label: the children, and who left and was not
        handed over. What the meeting decided about them stays in sight until then. -#}
    {%- for model in ['bi_child', 'bi_leaver'] %}
    select
        {{ child_columns('subjects') }},
        subjects.is_dv_protected,
        subjects.tier,
        subjects.tier_label,
        subjects.difficulty_label
    from {{ ref(model) }} as subjects
    {%- if model == 'bi_leaver' %}
    where subjects.is_open
    {%- else %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
