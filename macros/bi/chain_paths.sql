{% macro chain_paths(chains, persons) -%}
    {#- Who stands on the path of each chain, as rows (person_id, chain_type, end_person_id, path_ids, path,
        is_dv_protected): ids and names from the child on, and whether one of them is protected, because a path shows
        who lives with whom. ``chains``: CTE of fct_chain for one date; ``persons``: CTE of dim_person. -#}
    select
        steps.person_id,
        steps.chain_type,
        steps.end_person_id,
        list(steps.step_person_id order by steps.step_no) as path_ids,
        list(coalesce(nullif({{ persons }}.display_name, ''), '{{ var('nameless') }}') order by steps.step_no) as path,
        coalesce(bool_or({{ persons }}.is_dv_protected), false) as is_dv_protected
    from (
        select
            person_id,
            chain_type,
            end_person_id,
            unnest(string_split(path, '>')) as step_person_id,
            generate_subscripts(string_split(path, '>'), 1) as step_no
        from {{ chains }}
    ) as steps
    left join {{ persons }} on steps.step_person_id = {{ persons }}.person_id
    group by steps.person_id, steps.chain_type, steps.end_person_id
{%- endmacro %}
