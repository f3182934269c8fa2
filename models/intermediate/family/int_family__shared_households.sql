-- Who lived with whom: pairs of people with a common period in one household, unless on a day of that period the
-- household had more than 10 members (an institution makes no edge).
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
    having count(distinct person_id) > 10
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
        changed_on as valid_from,
        coalesce(
            lead(changed_on) over (partition by household_id order by changed_on), date '9999-12-31'
        ) as valid_to,
        sum(change) over (partition by household_id order by changed_on) as member_count
    from daily_changes
),

-- Neighbouring periods of more than 10 people are one.
crowded_starts as (
    select
        *,
        coalesce(
            lag(valid_to) over (partition by household_id order by valid_from) <> valid_from, true
        ) as is_start
    from sizes
    where member_count > 10
),

crowded_numbered as (
    select
        *,
        count(*) filter (where is_start) over (partition by household_id order by valid_from) as period_no
    from crowded_starts
),

crowded as (
    select household_id, min(valid_from) as valid_from, max(valid_to) as valid_to
    from crowded_numbered
    group by household_id, period_no
),

-- A stay wholly within such a period can make no edge: out before the pairs are made.
candidates as (
    select
        members.household_id,
        members.person_id,
        members.valid_from,
        coalesce(members.valid_to, date '9999-12-31') as valid_to
    from members
    anti join crowded
        on
            members.household_id = crowded.household_id
            and members.valid_from >= crowded.valid_from
            and coalesce(members.valid_to, date '9999-12-31') <= crowded.valid_to
),

pairs as (
    select
        own.household_id,
        own.person_id,
        others.person_id as other_person_id,
        greatest(own.valid_from, others.valid_from) as valid_from,
        least(own.valid_to, others.valid_to) as valid_to
    from candidates as own
    inner join candidates as others
        on
            own.household_id = others.household_id
            and own.person_id < others.person_id
            and own.valid_from < others.valid_to
            and own.valid_to > others.valid_from
)

select
    pairs.household_id,
    pairs.person_id,
    pairs.other_person_id,
    pairs.valid_from,
    nullif(pairs.valid_to, date '9999-12-31') as valid_to
from pairs
anti join crowded
    on
        pairs.household_id = crowded.household_id
        and pairs.valid_from < crowded.valid_to
        and pairs.valid_to > crowded.valid_from
