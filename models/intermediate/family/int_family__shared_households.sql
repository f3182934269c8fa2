-- Who lived with whom: pairs of people with a common period in one household. A household that had more than 10 members
-- on any one day is an institution and makes no edge, for any of its members at any time: a children's home that
-- shrinks does not become a family. Turnover alone does not make an institution: 15 people in 45 years may be a family.
-- Grain: one row per unordered pair, household and common period (person_id < other_person_id).
with

members as (
    select * from {{ ref('int_household__members') }}
    where valid_from <= {{ as_of() }}
),

-- Only a household that ever had more than 10 people can have had them at once.
large_households as (
    select household_id from members
    group by household_id
    having count(distinct person_id) > {{ var('institution_above') }}
),

changes as (
    select members.household_id, members.valid_from as changed_on, 1 as change
    from members
    semi join large_households on members.household_id = large_households.household_id
    union all
    select members.household_id, members.valid_to as changed_on, -1 as change
    from members
    semi join large_households on members.household_id = large_households.household_id
    where members.valid_to is not null
),

daily_changes as (
    select household_id, changed_on, sum(change) as change from changes
    group by household_id, changed_on
),

sizes as (
    select
        household_id,
        sum(change) over (partition by household_id order by changed_on) as member_count
    from daily_changes
),

institutions as (
    select distinct household_id from sizes
    where member_count > {{ var('institution_above') }}
),

candidates as (
    select
        members.household_id,
        members.person_id,
        members.valid_from,
        coalesce(members.valid_to, date '9999-12-31') as valid_to
    from members
    anti join institutions on members.household_id = institutions.household_id
)

select
    own.household_id,
    own.person_id,
    others.person_id as other_person_id,
    greatest(own.valid_from, others.valid_from) as valid_from,
    nullif(least(own.valid_to, others.valid_to), date '9999-12-31') as valid_to
from candidates as own
inner join candidates as others
    on
        own.household_id = others.household_id
        and own.person_id < others.person_id
        and own.valid_from < others.valid_to
        and own.valid_to > others.valid_from
