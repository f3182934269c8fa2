-- The household of each resident and each unborn child on the as-of date. Grain: one row per person.
with

members as (
    select * from {{ ref('int_household__members') }}
    where valid_from <= {{ as_of() }} and coalesce(valid_to > {{ as_of() }}, true)
),

residents as (
    select * from {{ ref('int_person__residents') }}
),

pregnancies as (
    select * from {{ ref('int_person__pregnancies') }}
    where not is_born
),

-- A person whom the register no longer has as a resident lives in no household of the city.
residing as (
    select members.household_id, members.person_id
    from members
    left join residents on members.person_id = residents.person_id
    where coalesce(residents.is_resident, true)
    qualify row_number() over (
        partition by members.person_id order by members.valid_from desc, members.household_id asc
    ) = 1
)

select household_id, person_id from residing
union all
-- An unborn child is where its mother is.
select residing.household_id, pregnancies.person_id
from pregnancies
inner join residing on pregnancies.mother_id = residing.person_id
