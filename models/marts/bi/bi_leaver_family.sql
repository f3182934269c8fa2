-- The family of each child on the list of those who left, as it was then. Grain: one row per child and relative.
with

leavers as (
    select * from {{ ref('bi_leaver') }}
),

families as (
    select * from {{ ref('int_child__leaver_families') }}
),

persons as (
    select * from {{ ref('dim_person') }}
)

select
    {{ child_columns('leavers') }},
    -- A protected person is not shown in another household's family either.
    leavers.is_dv_protected or coalesce(persons.is_dv_protected, false) as is_dv_protected,
    families.relative_id,
    families.role_label,
    coalesce(nullif(persons.display_name, ''), '{{ var('nameless') }}') as relative_label,
    persons.birth_on as relative_birth_on,
    case when families.was_in_household then '同じ世帯' else '別の世帯' end as residence_label,
    case
        when persons.is_deceased then '死亡'
        when persons.is_resident then '市内'
        else '市外・不明'
    end as household_label
from families
inner join leavers on families.person_id = leavers.person_id
left join persons on families.relative_id = persons.person_id
