-- Names and addresses of the people around a person: guardians by name, and the surnames and addresses of
-- every household the person ever belonged to. After a divorce these are the child's former surname and address.
-- The day of the last marriage goes with them: who has married since a record was written has changed the surname.
-- Grain: one row per person who shares or shared a household, or has a parent on file.
with

parents as (
    select parent_id, child_id from {{ ref('int_family__parents') }}
),

partners as (
    select * from {{ ref('int_family__partners') }}
),

members as (
    select * from {{ ref('int_household__members') }}
),

-- The people of an institution say nothing of each other.
crowded as (
    select household_id from members
    group by household_id
    having count(distinct person_id) > {{ var('institution_above') }}
),

residents as (
    select person_id, birth_on from {{ ref('int_person__residents') }}
),

names as (
    select
        person_id,
        full_name_match as name_match,
        -- The folded name has no space, and as many characters as the name.
        case when strpos(full_name, ' ') > 0 then left(full_name_match, strpos(full_name, ' ') - 1) end
            as surname_match,
        case when strpos(full_name, ' ') > 0 then substr(full_name_match, strpos(full_name, ' ')) end
            as given_match,
        {{ without_city('address_match') }} as address_match
    from {{ ref('int_identity__register_versions') }}
),

family_households as (
    select members.* from members
    anti join crowded on members.household_id = crowded.household_id
),

housemates as (
    select distinct own.person_id, others.person_id as other_id
    from family_households as own
    inner join family_households as others
        on own.household_id = others.household_id and own.person_id <> others.person_id
),

elders as (
    select housemates.person_id, housemates.other_id
    from housemates
    inner join residents as own_people on housemates.person_id = own_people.person_id
    inner join residents as other_people on housemates.other_id = other_people.person_id
    where own_people.birth_on >= other_people.birth_on + interval 15 year
),

guardians as (
    select child_id as person_id, parent_id as other_id from parents
    union
    select person_id, other_id from elders
),

guardian_names as (
    select
        guardians.person_id,
        list_sort(list_distinct(list(names.name_match))) as guardian_names,
        -- One character is too little to tell a person by.
        list_sort(list_distinct(
            list(names.given_match) filter (where length(names.given_match) >= 2)
        )) as guardian_given
    from guardians
    inner join names on guardians.other_id = names.person_id
    group by guardians.person_id
),

around as (
    select person_id, other_id from housemates
    union
    select person_id, other_id from guardians
),

spouses as (
    select husband_id as person_id, valid_from from partners
    union all
    select wife_id as person_id, valid_from from partners
),

marriages as (
    select person_id, max(valid_from) as married_on from spouses
    group by person_id
),

household_names as (
    select
        around.person_id,
        list_sort(list_distinct(list(names.surname_match))) as household_surnames,
        list_sort(list_distinct(list(names.address_match))) as household_addresses
    from around
    inner join names on around.other_id = names.person_id
    group by around.person_id
)

select
    household_names.person_id,
    guardian_names.guardian_names,
    guardian_names.guardian_given,
    household_names.household_surnames,
    household_names.household_addresses,
    marriages.married_on
from household_names
left join guardian_names on household_names.person_id = guardian_names.person_id
left join marriages on household_names.person_id = marriages.person_id
