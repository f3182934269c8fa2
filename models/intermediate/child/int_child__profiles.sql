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
),

last_sightings as (
    select * from {{ ref('int_child__sightings') }}
    where is_latest
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
    subjects.is_dv_protected,
    last_sightings.seen_on as last_seen_on,
    last_sightings.holder as last_seen_by,
    last_sightings.kind as last_seen_kind
from subjects
left join parents on subjects.person_id = parents.person_id
left join known on subjects.person_id = known.person_id
left join last_sightings on subjects.person_id = last_sightings.person_id
