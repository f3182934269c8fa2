-- Chains of cases, person by person: one row per child, kind of chain and person at its end.
with

children as (
    select * from {{ ref('bi_child') }}
),

chains as (
    select * from {{ ref('fct_chain') }}
    where as_of_on = {{ as_of() }}
),

persons as (
    select * from {{ ref('dim_person') }}
),

holders as (
    {{ source_holders() }}
),

steps as (
    select
        chains.person_id,
        chains.chain_type,
        chains.end_person_id,
        unnest(string_split(chains.path, '>')) as step_person_id,
        generate_subscripts(string_split(chains.path, '>'), 1) as step_no
    from chains
),

-- Who lives with whom can be read off a path: one with a protected person on it is for those who may know the place.
protected_paths as (
    select distinct steps.person_id, steps.chain_type, steps.end_person_id
    from steps
    inner join persons on steps.step_person_id = persons.person_id
    where persons.is_dv_protected
),

paths as (
    select
        steps.person_id,
        steps.chain_type,
        steps.end_person_id,
        string_agg(
            coalesce(persons.display_name, '{{ var('nameless') }}'), ' → ' order by steps.step_no
        ) as path_label
    from steps
    left join persons on steps.step_person_id = persons.person_id
    group by all
)

select
    {{ child_columns() }},
    children.is_dv_protected or protected_paths.person_id is not null as is_dv_protected,
    children.tier,
    children.tier_label,
    children.difficulty_label,
    chains.chain_type,
    {{ label_of('chain_type', 'chains.chain_type') }} as chain_type_label,
    chains.end_person_id,
    coalesce(ends.display_name, '{{ var('nameless') }}') as end_label,
    chains.steps,
    paths.path_label,
    chains.case_source_id,
    coalesce(holders.source_label, chains.case_source_id) as case_source_label,
    chains.case_on
from chains
inner join children on chains.person_id = children.person_id
inner join paths
    on
        chains.person_id = paths.person_id
        and chains.chain_type = paths.chain_type
        and chains.end_person_id = paths.end_person_id
left join protected_paths
    on
        chains.person_id = protected_paths.person_id
        and chains.chain_type = protected_paths.chain_type
        and chains.end_person_id = protected_paths.end_person_id
left join persons as ends on chains.end_person_id = ends.person_id
left join holders on chains.case_source_id = holders.source_id
