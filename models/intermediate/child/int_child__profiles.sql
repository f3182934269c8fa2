-- The children who are scored, from before birth to 18; dim_child shows its rows. Grain: one row per child.
with

subjects as (
    select * from {{ ref('int_person__subjects') }}
),

parents as (
    select * from {{ ref('int_family__parents_as_of') }}
),

known as (
    select distinct person_id from {{ ref('int_child__known_by') }}
)

select
    subjects.person_id,
    subjects.is_unborn,
    subjects.age_months,
    subjects.area_code,
    subjects.household_id,
    parents.mother_id,
    parents.father_id,
    known.person_id is not null as is_known_to_services,
    subjects.birth_on,
    subjects.due_on,
    subjects.sex,
    subjects.is_dv_protected
from subjects
left join parents on subjects.person_id = parents.person_id
left join known on subjects.person_id = known.person_id
