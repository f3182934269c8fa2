-- The chain items of the risk model: vertical = distinct generations, horizontal = distinct people, 0 without a chain.
-- People under a support measure count; the evidence points to none of their cases.
-- Grain: person_id, chain_type; every subject has a row of both.
with

subjects as (
    select person_id from {{ ref('int_person__subjects') }}
),

chain_types as (
    select unnest(['vertical', 'horizontal']) as chain_type
),

vertical as (
    select
        person_id,
        chain_type,
        len(list_distinct(flatten(list(generations)))) as value,
        string_agg(
            delivery_id || ':' || line_number, '|' order by delivery_id, line_number
        ) filter (where path is not null) as evidence
    from {{ ref('int_chain__vertical') }}
    group by person_id, chain_type
),

horizontal as (
    select
        person_id,
        chain_type,
        count(distinct end_person_id) as value,
        string_agg(
            delivery_id || ':' || line_number, '|' order by delivery_id, line_number
        ) filter (where path is not null) as evidence
    from {{ ref('int_chain__horizontal') }}
    group by person_id, chain_type
),

chains as (
    select * from vertical
    union all
    select * from horizontal
)

select
    subjects.person_id,
    chain_types.chain_type,
    coalesce(chains.value, 0)::integer as value,
    chains.evidence
from subjects
cross join chain_types
left join chains
    on subjects.person_id = chains.person_id and chain_types.chain_type = chains.chain_type
