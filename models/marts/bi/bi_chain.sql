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

households as (
    select household_id, is_dv_protected from {{ ref('dim_household') }}
),

holders as (
    {{ source_holders() }}
),

-- One with a protected person on its path, or with one who lives with them, is for those who may know the place.
housed_persons as (
    select
        persons.person_id,
        persons.display_name,
        persons.is_dv_protected or coalesce(households.is_dv_protected, false) as is_dv_protected
    from persons
    left join households on persons.household_id = households.household_id
),

paths as (
    {{ chain_paths('chains', 'housed_persons') }}
)

select
    {{ child_columns() }},
    children.is_dv_protected or paths.is_dv_protected as is_dv_protected,
    children.tier,
    children.tier_label,
    children.difficulty_label,
    chains.chain_type,
    {{ label_of('chain_type', 'chains.chain_type') }} as chain_type_label,
    chains.end_person_id,
    coalesce(ends.display_name, '{{ var('nameless') }}') as end_label,
    chains.steps,
    array_to_string(paths.path, ' → ') as path_label,
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
left join persons as ends on chains.end_person_id = ends.person_id
left join holders on chains.case_source_id = holders.source_id
