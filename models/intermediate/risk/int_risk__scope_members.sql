with children as (
    select * from {{ ref('dim_child') }}
),

household_members as (
    select * from {{ ref('int_household__members_as_of') }}
),

links as (
    select *
    from {{ ref('int_family__links') }}
    where coalesce(valid_from, date '0001-01-01') <= {{ as_of() }}
),

parents as (
    select
        person_id,
        mother_id as parent_id,
        'mother' as scope
    from children
    where mother_id is not null
    union all
    select
        person_id,
        father_id as parent_id,
        'father' as scope
    from children
    where father_id is not null
),

siblings as (
    select distinct
        parents.person_id,
        links.to_person_id as member_id
    from parents
    inner join links on parents.parent_id = links.from_person_id and links.link_type = 'parent_of'
    where links.to_person_id <> parents.person_id
),

household as (
    select
        children.person_id,
        household_members.person_id as member_id
    from children
    inner join household_members on children.household_id = household_members.household_id
    union
    select
        person_id,
        person_id as member_id
    from children
),

edges as (
    select
        from_person_id as person_id,
        to_person_id as neighbour_id
    from links
    union
    select
        to_person_id as person_id,
        from_person_id as neighbour_id
    from links
),

one_step as (
    select
        children.person_id,
        edges.neighbour_id as member_id
    from children
    inner join edges on children.person_id = edges.person_id
),

family as (
    select
        person_id,
        person_id as member_id
    from children
    union
    select
        person_id,
        member_id
    from one_step
    union
    select
        one_step.person_id,
        edges.neighbour_id as member_id
    from one_step
    inner join edges on one_step.member_id = edges.person_id
),

final as (
    select
        person_id,
        'self' as scope,
        person_id as member_id
    from children
    union all
    select
        person_id,
        scope,
        parent_id as member_id
    from parents
    union
    select
        person_id,
        'parents' as scope,
        parent_id as member_id
    from parents
    union all
    select
        person_id,
        'siblings' as scope,
        member_id
    from siblings
    union all
    select
        person_id,
        'household' as scope,
        member_id
    from household
    union all
    select
        person_id,
        'family' as scope,
        member_id
    from family
)

select
    person_id,
    scope,
    member_id
from final
