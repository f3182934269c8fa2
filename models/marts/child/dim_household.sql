-- Households on the as-of date. Grain: one row per household.
with

members as (
    select * from {{ ref('int_household__members_as_of') }}
),

persons as (
    select * from {{ ref('int_person__persons') }}
),

-- The area where most of its residents are registered; the first by code among equals.
areas as (
    select members.household_id, persons.area_code
    from members
    inner join persons on members.person_id = persons.person_id
    where persons.area_code is not null
    group by members.household_id, persons.area_code
    qualify row_number() over (
        partition by members.household_id order by count(*) desc, persons.area_code
    ) = 1
)

select
    members.household_id,
    any_value(areas.area_code) as area_code,
    count(*) filter (where persons.person_kind <> 'unborn') as member_count,
    count(*) filter (
        where persons.person_kind <> 'unborn' and persons.age_months < {{ var('childhood_months') }}
    ) as child_count,
    count(*) filter (where persons.person_kind = 'unborn') as unborn_count,
    count(*) filter (
        where persons.person_kind <> 'unborn'
    ) > {{ var('institution_above') }} as is_institution,
    bool_or(persons.is_under_support_measure) as is_dv_protected
from members
inner join persons on members.person_id = persons.person_id
left join areas on members.household_id = areas.household_id
group by members.household_id
