-- What: a person under a support measure at the end or on the way of another child's chain. When it matters: always.
-- How to resolve: do not publish; find which chain model lets the person through.
with

steps as (
    select
        person_id,
        unnest(string_split(path, '>')[2:]) as step_person_id
    from {{ ref('fct_chain') }}
    where as_of_on = {{ as_of() }}
)

select steps.*
from steps
inner join {{ ref('int_person__persons') }} as persons on steps.step_person_id = persons.person_id
where persons.is_under_support_measure
