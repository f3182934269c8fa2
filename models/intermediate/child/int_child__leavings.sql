-- Who left the children of the city, when, how, and from which household: people who left the register as children, and
-- people whose 18th birthday is past. Grain: one row per person.
with

persons as (
    select * from {{ ref('int_person__persons') }}
    where person_kind = 'register'
),

residents as (
    select * from {{ ref('int_person__residents') }}
),

spells as (
    select * from {{ ref('int_household__spells') }}
),

known as (
    select
        persons.person_id,
        persons.birth_on,
        persons.is_resident,
        residents.person_id is not null as is_on_register,
        residents.resident_status_code as status_code,
        residents.resident_until as gone_on,
        -- Who was born on 29 February is a child until 1 March, as in the ages of the subjects.
        (persons.birth_on + to_months({{ var('childhood_months') }}))::date
        + (
            day(persons.birth_on + to_months({{ var('childhood_months') }})) < day(persons.birth_on)
        )::integer as of_age_on
    from persons
    left join residents on persons.person_id = residents.person_id
),

dated as (
    select
        *,
        -- A removal of unknown day has happened by now; a registration yet to come is no leaving.
        is_on_register
        and not is_resident
        and status_code <> '1'
        and coalesce(gone_on <= {{ as_of() }}, true)
        and coalesce(coalesce(gone_on, {{ as_of() }}) < of_age_on, true) as is_gone_as_child,
        coalesce(of_age_on <= {{ as_of() }}, false) as is_of_age
    from known
),

leavings as (
    select
        person_id,
        birth_on,
        of_age_on,
        case
            when not is_on_register then 'unregistered'
            when not is_gone_as_child then 'came_of_age'
            when status_code = '2' then 'moved'
            when status_code = '3' then 'died'
            else 'removed'
        end as kind,
        case
            when is_gone_as_child then gone_on
            when is_on_register then of_age_on
        end as left_on
    from dated
    where is_gone_as_child or is_of_age or not is_on_register
),

-- The household of the last day before the leaving, else the last one known.
households as (
    select
        leavings.person_id,
        spells.household_id
    from leavings
    inner join spells on leavings.person_id = spells.person_id
    where coalesce(spells.valid_from < leavings.left_on, true)
    qualify row_number() over (
        partition by leavings.person_id
        order by spells.valid_to desc nulls first, spells.valid_from desc, spells.household_id asc
    ) = 1
)

select
    leavings.person_id,
    leavings.kind,
    leavings.left_on,
    leavings.birth_on,
    leavings.of_age_on,
    households.household_id
from leavings
left join households on leavings.person_id = households.person_id
