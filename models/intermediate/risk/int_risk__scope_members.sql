-- Whose observations count for a child, by scope. Grain: person_id, scope, member_id.
with children as (
    select * from {{ ref('int_child__profiles') }}
),

household_members as (
    select * from {{ ref('int_household__members_as_of') }}
),

parent_links as (
    select
        from_person_id as parent_id,
        to_person_id as child_id
    from {{ ref('int_family__links') }}
    where link_type = 'parent_of' and valid_from <= {{ as_of() }} and coalesce(valid_to > {{ as_of() }}, true)
),

family as (
    select
        person_id,
        member_id
    from {{ ref('int_family__within_two_steps') }}
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
    -- by at least one parent, by birth or adoption
    select distinct
        children.person_id,
        sibling_links.child_id as member_id
    from children
    inner join parent_links on children.person_id = parent_links.child_id
    inner join parent_links as sibling_links on parent_links.parent_id = sibling_links.parent_id
    where sibling_links.child_id <> children.person_id
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
