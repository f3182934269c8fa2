-- Children who came to live in the city after their birth, where from, by when they have to be seen, and when they first
-- were. Grain: one row per child.
with

children as (
    select * from {{ ref('dim_child') }}
    where not is_unborn
),

persons as (
    select * from {{ ref('int_person__persons') }}
),

sightings as (
    select * from {{ ref('fct_sighting') }}
),

limits as (
    select * from {{ ref('arrival_limits') }}
),

arrivals as (
    select
        children.person_id,
        children.area_code,
        children.is_dv_protected,
        persons.resident_from as arrived_on,
        persons.moved_from,
        {{ months_between('children.birth_on', 'persons.resident_from') }} as age_months_then
    from children
    inner join persons on children.person_id = persons.person_id
    where coalesce(persons.resident_from > children.birth_on, persons.resident_from is not null)
),

first_sightings as (
    select
        arrivals.person_id,
        min(sightings.seen_on) as first_seen_on
    from arrivals
    inner join sightings
        on arrivals.person_id = sightings.person_id and arrivals.arrived_on <= sightings.seen_on
    group by arrivals.person_id
),

limited as (
    select
        arrivals.*,
        limits.limit_days
    from arrivals
    left join limits
        on
            (limits.age_from_months is null or arrivals.age_months_then >= limits.age_from_months)
            and (limits.age_to_months is null or arrivals.age_months_then < limits.age_to_months)
    qualify row_number() over (partition by arrivals.person_id order by limits.rule_no asc nulls last) = 1
)

select
    {{ as_of() }} as as_of_on,
    limited.person_id,
    limited.arrived_on,
    -- An address reveals where a family lives.
    case when not limited.is_dv_protected then limited.moved_from end as moved_from,
    limited.area_code,
    limited.limit_days,
    limited.arrived_on + limited.limit_days as see_by_on,
    first_sightings.first_seen_on,
    first_sightings.first_seen_on is null as is_waiting,
    first_sightings.first_seen_on is null
    and coalesce(limited.arrived_on + limited.limit_days < {{ as_of() }}, false) as is_late,
    limited.is_dv_protected
from limited
left join first_sightings on limited.person_id = first_sightings.person_id
