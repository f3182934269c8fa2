-- The children who are scored: notified pregnancies, and residents under 18. Grain: one row per person.
with

persons as (
    select * from {{ ref('int_person__persons') }}
)

select
    person_id,
    person_kind = 'unborn' as is_unborn,
    birth_on,
    due_on,
    sex,
    age_months,
    area_code,
    household_id,
    is_dv_protected
from persons
where
    person_kind = 'unborn'
    or (is_resident and age_months >= 0 and age_months < {{ var('childhood_months') }})
