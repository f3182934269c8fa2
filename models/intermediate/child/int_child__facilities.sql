-- Where a person spends the day on the as-of date: school, else nursery.
with

as_of as (
    select as_of_on from {{ source('run', 'run_parameters') }}
),

school_people as (
    select source_key, person_id
    from {{ ref('int_person__identities') }}
    where source_id = 'school_enrolment'
),

nursery_people as (
    select atena_no, person_id from {{ ref('int_person__atena') }}
),

schools as (
    select
        school_people.person_id,
        enrolment.school_name as facility_name,
        '学校' as facility_kind,
        enrolment.grade,
        enrolment.enrolled_on as started_on
    from {{ ref('stg_education__school_enrolment') }} as enrolment
    inner join school_people on enrolment.school_person_no = school_people.source_key
    cross join as_of
    where
        enrolment.enrolled_on <= as_of.as_of_on
        and coalesce(enrolment.left_on > as_of.as_of_on, true)
),

nurseries as (
    select
        nursery_people.person_id,
        enrolment.facility_name,
        '保育所' as facility_kind,
        null as grade,
        enrolment.entered_on as started_on
    from {{ ref('stg_child__nursery_enrolment') }} as enrolment
    inner join nursery_people on enrolment.child_atena_no = nursery_people.atena_no
    cross join as_of
    where
        enrolment.entered_on <= as_of.as_of_on
        and coalesce(enrolment.left_on > as_of.as_of_on, true)
),

enrolments as (
    select * from schools
    union all
    select * from nurseries
)

select
    person_id,
    facility_name,
    facility_kind,
    grade,
    started_on
from enrolments
-- A child of two open enrolments is where it went last; school before nursery.
qualify row_number() over (
    partition by person_id order by (facility_kind = '保育所'), started_on desc, facility_name asc
) = 1
