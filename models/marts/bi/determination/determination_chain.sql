-- Chains of cases, with the names on their paths. Grain: one row per child, kind of chain and person at its end.
with

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

paths as (
    {{ chain_paths('chains', 'persons') }}
)

select
    chains.person_id,
    chains.chain_type,
    chains.steps,
    paths.path_ids,
    paths.path,
    paths.is_dv_protected,
    chains.end_person_id,
    chains.case_source_id,
    chains.case_on,
    {{ label_of('chain_type', 'chains.chain_type') }} as chain_label,
    coalesce(holders.source_label, chains.case_source_id, '') as case_source_label
from chains
inner join paths
    on
        chains.person_id = paths.person_id
        and chains.chain_type = paths.chain_type
        and chains.end_person_id = paths.end_person_id
left join holders on chains.case_source_id = holders.source_id
order by chains.chain_type desc, chains.steps asc, chains.path asc
