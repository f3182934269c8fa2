-- The family of each child that left, as it was then: parents, brothers and sisters, and who lived in its household on the
-- day before. Grain: one row per child that left and other person.
with

leavings as (
    select * from {{ ref('int_child__leavings') }}
),

parent_links as (
    select
        from_person_id as parent_id,
        to_person_id as child_id
    from {{ ref('int_family__links') }}
    where link_type = 'parent_of'
),

spells as (
    select * from {{ ref('int_household__spells') }}
),

persons as (
    select * from {{ ref('int_person__persons') }}
),

parents as (
    select distinct
        leavings.person_id,
        parent_links.parent_id as relative_id
    from leavings
    inner join parent_links on leavings.person_id = parent_links.child_id
),

siblings as (
    select distinct
        parents.person_id,
        parent_links.child_id as relative_id
    from parents
    inner join parent_links on parents.relative_id = parent_links.parent_id
    where parent_links.child_id <> parents.person_id
),

-- A household of more people than this is an institution, and its people are no family.
families as (
    select household_id
    from spells
    group by household_id
    having count(distinct person_id) <= {{ var('institution_above') }}
),

housemates as (
    select distinct
        leavings.person_id,
        spells.person_id as relative_id
    from leavings
    inner join families on leavings.household_id = families.household_id
    inner join spells on leavings.household_id = spells.household_id
    where
        spells.person_id <> leavings.person_id
        and spells.valid_from < coalesce(leavings.left_on, {{ as_of() }})
        and coalesce(spells.valid_to >= coalesce(leavings.left_on, {{ as_of() }}), true)
),

everybody as (
    select person_id, relative_id from parents
    union
    select person_id, relative_id from siblings
    union
    select person_id, relative_id from housemates
)

select
    everybody.person_id,
    everybody.relative_id,
    case
        when parents.relative_id is not null and persons.sex = '男' then '父'
        when parents.relative_id is not null and persons.sex = '女' then '母'
        when parents.relative_id is not null then '親'
        when siblings.relative_id is not null then 'きょうだい'
        else '同じ世帯の人'
    end as role_label,
    housemates.relative_id is not null as was_in_household
from everybody
left join persons on everybody.relative_id = persons.person_id
left join parents
    on everybody.person_id = parents.person_id and everybody.relative_id = parents.relative_id
left join siblings
    on everybody.person_id = siblings.person_id and everybody.relative_id = siblings.relative_id
left join housemates
    on everybody.person_id = housemates.person_id and everybody.relative_id = housemates.relative_id
