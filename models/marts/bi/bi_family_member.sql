-- The family as a graph: one row per child and edge between two people within two genogram steps of the child.
with

children as (
    select * from {{ ref('bi_child') }}
),

persons as (
    select * from {{ ref('dim_person') }}
),

protected_people as (
    select person_id from persons
    where is_dv_protected
),

links as (
    select from_person_id, to_person_id, link_type, link_kind, valid_from, valid_to, origin
    from {{ ref('fct_family_link') }}
    where link_type in ('parent_of', 'partner_of')
),

protected_households as (
    select household_id from {{ ref('dim_household') }}
    where is_dv_protected
),

neighbours as (
    select from_person_id as person_id, to_person_id as neighbour_id from links
    union
    select to_person_id as person_id, from_person_id as neighbour_id from links
),

first_circle as (
    select children.person_id as child_id, children.person_id as member_id
    from children
    union
    select children.person_id as child_id, neighbours.neighbour_id as member_id
    from children
    inner join neighbours on children.person_id = neighbours.person_id
),

circle as (
    select child_id, member_id from first_circle
    union
    select first_circle.child_id, neighbours.neighbour_id as member_id
    from first_circle
    inner join neighbours on first_circle.member_id = neighbours.person_id
),

-- Both ends within two steps: every edge that the graph of this child shows, once.
edges as (
    select
        circle.child_id,
        links.from_person_id,
        links.to_person_id,
        links.link_type,
        -- Of a couple that lived together before it married, the marriage; of a parent by birth and adoption, the birth.
        arg_max(
            links.link_kind,
            (coalesce(links.valid_to, date '9999-12-31'), links.link_kind in ('marriage', 'biological'))
        ) as link_kind,
        min(links.valid_from) as valid_from,
        case when bool_or(links.valid_to is null) then null else max(links.valid_to) end as valid_to,
        string_agg(distinct links.origin, '・' order by links.origin) as origin
    from circle
    inner join links on circle.member_id = links.from_person_id
    inner join circle as others
        on circle.child_id = others.child_id and links.to_person_id = others.member_id
    group by all
),

parents as (
    select from_person_id as parent_id, to_person_id as child_id from links
    where link_type = 'parent_of'
),

grandparents as (
    select distinct parents.child_id, elders.parent_id as member_id
    from parents
    inner join parents as elders on parents.parent_id = elders.child_id
),

siblings as (
    select distinct parents.child_id, others.child_id as member_id
    from parents
    inner join parents as others on parents.parent_id = others.parent_id
    where parents.child_id <> others.child_id
),

roles as (
    select
        circle.child_id,
        circle.member_id,
        case
            when circle.child_id = circle.member_id then '本人'
            when parents.parent_id is not null and persons.sex = '男' then '父'
            when parents.parent_id is not null and persons.sex = '女' then '母'
            when parents.parent_id is not null then '親'
            when siblings.member_id is not null then 'きょうだい'
            when grandparents.member_id is not null then '祖父母'
            else 'その他の親族・元家族'
        end as role_label,
        coalesce(
            nullif(persons.display_name, ''),
            case when children.is_unborn and circle.child_id = circle.member_id then '（出生前）' end,
            '{{ var('nameless') }}'
        )
        || coalesce('（' || year(persons.birth_on) || '年生）', '') as member_label,
        coalesce(persons.household_id = children.household_id, false) as is_same_household,
        coalesce(persons.sex, '不明') as sex,
        persons.birth_on,
        coalesce(persons.is_deceased, false) as is_deceased,
        -- Another family's sheet shows no household of a protected person.
        case
            when children.is_dv_protected or protected_households.household_id is null
                then persons.household_id
        end as household_id,
        protected_people.person_id is not null as is_protected
    from circle
    inner join children on circle.child_id = children.person_id
    left join persons on circle.member_id = persons.person_id
    left join protected_people on circle.member_id = protected_people.person_id
    left join protected_households on persons.household_id = protected_households.household_id
    left join parents
        on circle.child_id = parents.child_id and circle.member_id = parents.parent_id
    left join siblings
        on circle.child_id = siblings.child_id and circle.member_id = siblings.member_id
    left join grandparents
        on circle.child_id = grandparents.child_id and circle.member_id = grandparents.member_id
),

-- The graph knows people by their labels: two without a name, or of one name and year, are not one.
numbered_roles as (
    select
        * exclude (member_label),
        case
            when count(*) over (partition by child_id, member_label) > 1
                then
                    member_label
                    || row_number() over (partition by child_id, member_label order by member_id)
            else member_label
        end as member_label
    from roles
)

select
    {{ child_columns() }},
    -- A protected person is not shown in another household's graph either.
    children.is_dv_protected or from_roles.is_protected or to_roles.is_protected as is_dv_protected,
    children.tier,
    children.tier_label,
    children.difficulty_label,
    edges.from_person_id,
    from_roles.member_label as from_label,
    from_roles.role_label as from_role_label,
    from_roles.sex as from_sex,
    from_roles.birth_on as from_birth_on,
    from_roles.is_deceased as from_is_deceased,
    from_roles.household_id as from_household_id,
    edges.to_person_id,
    to_roles.member_label as to_label,
    to_roles.role_label as to_role_label,
    to_roles.sex as to_sex,
    to_roles.birth_on as to_birth_on,
    to_roles.is_deceased as to_is_deceased,
    to_roles.household_id as to_household_id,
    edges.link_type,
    edges.link_kind,
    case edges.link_type when 'parent_of' then '親子' else '配偶' end as link_label,
    edges.valid_from,
    edges.valid_to,
    case when edges.valid_to is null then '現在' else '過去' end as validity_label,
    edges.origin,
    case when from_roles.is_same_household and to_roles.is_same_household then '同居' else '別居' end
        as household_label,
    1 as weight
from edges
inner join children on edges.child_id = children.person_id
inner join numbered_roles as from_roles
    on edges.child_id = from_roles.child_id and edges.from_person_id = from_roles.member_id
inner join numbered_roles as to_roles
    on edges.child_id = to_roles.child_id and edges.to_person_id = to_roles.member_id
