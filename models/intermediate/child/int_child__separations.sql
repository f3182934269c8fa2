-- Parents who lived with a child and no longer do. Grain: one row per child and parent.
with

parents as (
    select * from {{ ref('int_family__parents_as_of') }}
),

members as (
    select * from {{ ref('int_household__members') }}
    where valid_from <= {{ as_of() }}
),

residents as (
    select * from {{ ref('int_person__residents') }}
),

pairs as (
    select
        person_id,
        mother_id as parent_id,
        'mother' as parent_role
    from parents
    where mother_id is not null
    union all
    select
        person_id,
        father_id as parent_id,
        'father' as parent_role
    from parents
    where father_id is not null
),

together as (
    select
        pairs.person_id,
        pairs.parent_id,
        pairs.parent_role,
        least(
            coalesce(child_members.valid_to, date '9999-12-31'),
            coalesce(parent_members.valid_to, date '9999-12-31')
        ) as ended_on
    from pairs
    inner join members as child_members on pairs.person_id = child_members.person_id
    inner join members as parent_members
        on
            pairs.parent_id = parent_members.person_id
            and child_members.household_id = parent_members.household_id
            and child_members.valid_from < coalesce(parent_members.valid_to, date '9999-12-31')
            and parent_members.valid_from < coalesce(child_members.valid_to, date '9999-12-31')
),

last_together as (
    select
        person_id,
        parent_id,
        parent_role,
        max(ended_on) as separated_on
    from together
    group by person_id, parent_id, parent_role
)

select
    last_together.person_id,
    last_together.parent_id,
    last_together.parent_role,
    last_together.separated_on
from last_together
left join residents on last_together.parent_id = residents.person_id
where
    last_together.separated_on <= {{ as_of() }}
    -- A parent's death is no separation.
    and not coalesce(residents.is_deceased, false)
