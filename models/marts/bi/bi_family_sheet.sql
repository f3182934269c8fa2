-- The family sheet: who is what to a child, who lives where, and the cases along the way.
-- Grain: one row per child and relative.
with

children as (
    select * from {{ ref('bi_child') }}
),

relatives as (
    select * from {{ ref('int_family__relatives') }}
),

persons as (
    select * from {{ ref('dim_person') }}
),

areas as (
    select area_code, area_name_ja from {{ ref('dim_area') }}
),

households as (
    select household_id, is_dv_protected from {{ ref('dim_household') }}
)

select
    {{ child_columns() }},
    -- Nor does another child's sheet show where a protected person lives, or an adult beside them.
    children.is_dv_protected or relatives.is_dv_protected or coalesce(households.is_dv_protected, false)
        as is_dv_protected,
    children.tier,
    children.tier_label,
    children.difficulty_label,
    relatives.relative_id,
    relatives.relation_rank,
    -- Of a protected person, the relation does not say who lives with them today: the residence beside it does.
    case
        when
            (children.is_dv_protected or relatives.is_dv_protected or households.is_dv_protected)
            and relatives.relation_ja in ('同居人', '元同居人')
            then '同居人・元同居人'
        else relatives.relation_ja
    end as relation_label,
    coalesce(nullif(persons.display_name, ''), '{{ var('nameless') }}') as relative_label,
    persons.birth_on as relative_birth_on,
    case
        when relatives.is_same_household then '同居'
        when relatives.is_resident then '別居（市内' || coalesce('・' || areas.area_name_ja, '') || '）'
        else '市内に住民登録なし'
    end as residence_label,
    relatives.lived_together_from,
    relatives.lived_together_until,
    relatives.case_count::integer as case_count,
    relatives.last_case_on
from relatives
inner join children on relatives.person_id = children.person_id
left join persons on relatives.relative_id = persons.person_id
left join areas on relatives.area_code = areas.area_code
left join households on relatives.household_id = households.household_id
