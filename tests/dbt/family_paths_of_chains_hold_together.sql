-- What: a chain whose path goes over two people who are no neighbours. When it matters: the path is what a meeting reads.
-- How to resolve: the chain models and int_family__neighbours were built from different links; build them again.
with

steps as (
    select
        path,
        unnest(string_split(path, '>')) as current,
        unnest(string_split(path, '>')[2:] || [null]) as following
    from {{ ref('fct_chain') }}
    where as_of_on = {{ as_of() }}
)

select steps.*
from steps
anti join {{ ref('int_family__neighbours') }} as neighbours
    on steps.current = neighbours.person_id and steps.following = neighbours.neighbour_id
where steps.following is not null
