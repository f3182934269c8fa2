-- The way of each chain, person by person, from the child (step 0) to the case at its end: one row per child, kind of
-- chain, person at its end and step. A chain without a path has none.
with

children as (
    select * from {{ ref('bi_child') }}
),

chains as (
    select * from {{ ref('bi_chain') }}
),

paths as (
    select person_id, chain_type, end_person_id, string_split(path, '>') as step_ids
    from {{ ref('fct_chain') }}
    where as_of_on = {{ as_of() }} and path is not null
),

persons as (
    select * from {{ ref('dim_person') }}
),

relatives as (
    select * from {{ ref('int_family__relatives') }}
),

links as (
    select * from {{ ref('fct_family_link') }}
),

-- A child is of its parents, a couple of both, a household of all.
neighbours as (
    select
        from_person_id as person_id,
        to_person_id as neighbour_id,
        case link_type
            when 'parent_of' then 'child'
            when 'partner_of' then 'partner'
            else 'housemate'
        end as link,
        link_kind,
        valid_to
    from links
    union all
    select
        to_person_id as person_id,
        from_person_id as neighbour_id,
        case link_type
            when 'parent_of' then 'parent'
            when 'partner_of' then 'partner'
            else 'housemate'
        end as link,
        link_kind,
        valid_to
    from links
),

-- What one person is to the next: by descent before by marriage, by marriage before by household, in force before over.
nearest as (
    select
        person_id,
        neighbour_id,
        link,
        link_kind,
        coalesce(valid_to <= {{ as_of() }}, false) as is_over
    from neighbours
    qualify row_number() over (
        partition by person_id, neighbour_id
        order by
            link = 'housemate',
            link = 'partner',
            link_kind in ('marriage', 'biological') desc,
            is_over
    ) = 1
),

steps as (
    select
        person_id,
        chain_type,
        end_person_id,
        unnest(step_ids) as step_person_id,
        unnest(list_prepend(null, step_ids[:-2])) as previous_person_id,
        unnest(range(0, len(step_ids))) as step_no
    from paths
)

select
    {{ child_columns() }},
    chains.is_dv_protected,
    steps.chain_type,
    steps.end_person_id,
    steps.step_no::integer as step_no,
    steps.step_person_id,
    coalesce(nullif(persons.display_name, ''), '{{ var('nameless') }}') as step_label,
    coalesce(persons.sex, '不明') as step_sex,
    persons.birth_on as step_birth_on,
    coalesce(persons.is_deceased, false) as step_is_deceased,
    case when steps.step_no = 0 then '本人' else relatives.relation_ja end as step_relation_label,
    nearest.link as step_link,
    nearest.link_kind as step_link_kind,
    nearest.is_over as step_link_is_over
from steps
inner join children on steps.person_id = children.person_id
inner join chains
    on
        steps.person_id = chains.person_id
        and steps.chain_type = chains.chain_type
        and steps.end_person_id = chains.end_person_id
left join persons on steps.step_person_id = persons.person_id
left join relatives
    on steps.person_id = relatives.person_id and steps.step_person_id = relatives.relative_id
left join nearest
    on steps.previous_person_id = nearest.person_id and steps.step_person_id = nearest.neighbour_id
