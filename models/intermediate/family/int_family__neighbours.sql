-- Who is one genogram step away from whom, by an edge of any type that began by the as-of date.
-- Grain: one row per ordered pair.
with

links as (
    select from_person_id, to_person_id from {{ ref('int_family__links') }}
    where valid_from <= {{ as_of() }}
)

select from_person_id as person_id, to_person_id as neighbour_id from links
union
select to_person_id as person_id, from_person_id as neighbour_id from links
