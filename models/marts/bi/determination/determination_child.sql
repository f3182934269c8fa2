-- Who is determined. Grain: one row per child.
with

children as (
    select * from {{ ref('dim_child') }}
),

persons as (
    select * from {{ ref('dim_person') }}
),

areas as (
    select * from {{ ref('dim_area') }}
),

priorities as (
    select * from {{ ref('fct_support_priority') }}
    where as_of_on = {{ as_of() }}
)

select
    children.person_id,
    {{ child_name() }} as display_name,
    persons.kana,
    children.birth_on,
    children.due_on as expected_birth_on,
    children.sex,
    children.is_unborn,
    children.age_months,
    children.area_code,
    areas.area_name_ja as area_name,
    children.household_id,
    children.is_known_to_services,
    children.is_dv_protected,
    priorities.as_of_on + priorities.due_days::integer as due_by_on
from children
left join persons on children.person_id = persons.person_id
left join areas on children.area_code = areas.area_code
left join priorities on children.person_id = priorities.person_id
order by children.birth_on desc nulls first, children.person_id asc
