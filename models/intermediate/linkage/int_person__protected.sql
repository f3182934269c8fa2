-- Whom a number by area must not place: people under a support measure, and all of their households. Grain: one row per person.
with persons as (
    select * from {{ ref('int_person__persons') }}
),

protected_households as (
    select household_id
    from persons
    group by household_id
    having bool_or(is_under_support_measure)
)

select persons.person_id
from persons
left join protected_households on persons.household_id = protected_households.household_id
where persons.is_dv_protected or protected_households.household_id is not null
