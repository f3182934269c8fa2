-- Who may stand as somebody's guardian: parents, and older people of any household they shared.
-- Grain: one row per person, with the matching forms of the names.
with

parents as (
    select parent_id, child_id from {{ ref('int_family__parents') }}
),

members as (
    select * from {{ ref('int_household__members') }}
),

crowded as (
    select household_id from members
    group by household_id
    having count(distinct person_id) > 10
),

residents as (
    select person_id, birth_on from {{ ref('int_person__residents') }}
),

names as (
    select person_id, replace(full_name_match, ' ', '') as name_match
    from {{ ref('int_identity__register_versions') }}
),

elders as (
    select own.person_id, others.person_id as guardian_id
    from members as own
    anti join crowded on own.household_id = crowded.household_id
    inner join members as others
        on own.household_id = others.household_id and own.person_id <> others.person_id
    inner join residents as own_people on own.person_id = own_people.person_id
    inner join residents as other_people on others.person_id = other_people.person_id
    where other_people.birth_on + interval 15 year <= own_people.birth_on
),

guardians as (
    select child_id as person_id, parent_id as guardian_id from parents
    union
    select person_id, guardian_id from elders
)

select
    guardians.person_id,
    list(distinct names.name_match order by names.name_match) as guardian_names
from guardians
inner join names on guardians.guardian_id = names.person_id
group by guardians.person_id
