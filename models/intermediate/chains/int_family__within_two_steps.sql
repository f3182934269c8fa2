-- The family of a child: everybody within two genogram steps, the child included. Grain: person_id, member_id.
with

subjects as (
    select person_id from {{ ref('int_person__subjects') }}
),

neighbours as (
    select * from {{ ref('int_family__neighbours') }}
),

one_step as (
    select subjects.person_id, neighbours.neighbour_id as member_id
    from subjects
    inner join neighbours on subjects.person_id = neighbours.person_id
),

reached as (
    select person_id, person_id as member_id, 0 as steps from subjects
    union all
    select person_id, member_id, 1 as steps from one_step
    union all
    select one_step.person_id, neighbours.neighbour_id as member_id, 2 as steps
    from one_step
    inner join neighbours on one_step.member_id = neighbours.person_id
)

select person_id, member_id, min(steps) as steps
from reached
group by person_id, member_id
