-- Horizontal chains: a person outside the household, no ancestor, within four genogram steps, with a case in the last
-- 120 months. Searched from the few ends towards the many children; at each step the path goes on over the smallest id,
-- so that the path read from the child is the smallest among the shortest.
-- Grain: one row per child and person at the end; without a path where it would name a person under a support measure.
with recursive

people as (
    select person_id, is_under_support_measure from {{ ref('int_person__persons') }}
),

subjects as (
    select person_id, household_id from {{ ref('int_person__subjects') }}
),

households as (
    select person_id, household_id from {{ ref('int_household__members_as_of') }}
),

ancestors as (
    select distinct person_id, ancestor_id from {{ ref('int_family__ancestors') }}
),

protected_people as (
    select person_id from people
    where is_under_support_measure
),

recent_cases as (
    select * from {{ ref('int_family__cases') }}
    where case_on > {{ as_of() }} - interval 120 month
    qualify row_number() over (
        partition by person_id
        order by case_on desc, case_source_id asc, case_source_key asc, delivery_id asc, line_number asc
    ) = 1
),

neighbours as (
    select * from {{ ref('int_family__neighbours') }}
),

-- No person under a support measure is named on the way,
steps_onward as (
    select neighbours.person_id, neighbours.neighbour_id
    from neighbours
    anti join protected_people on neighbours.person_id = protected_people.person_id
),

-- The last step needs to reach children only.
steps_to_children as (
    select steps_onward.*
    from steps_onward
    semi join subjects on steps_onward.neighbour_id = subjects.person_id
),

-- nor at the end.
at_0 as (
    select
        recent_cases.person_id as end_person_id,
        recent_cases.person_id,
        0 as steps,
        recent_cases.person_id as path
    from recent_cases
    anti join protected_people on recent_cases.person_id = protected_people.person_id
),

within_0 as (
    select * from at_0
),

-- At each step, those who were not reached before.
{%- for step in range(1, var('chain_steps') + 1) %}
    {%- set onward = 'steps_to_children' if step == var('chain_steps') else 'steps_onward' %}

    reached_{{ step }} as (
        select
            at_{{ step - 1 }}.end_person_id,
            {{ onward }}.neighbour_id as person_id,
            {{ step }} as steps,
            {{ onward }}.neighbour_id
            || '>'
            || arg_min(at_{{ step - 1 }}.path, at_{{ step - 1 }}.person_id) as path
        from at_{{ step - 1 }}
        inner join {{ onward }} on at_{{ step - 1 }}.person_id = {{ onward }}.person_id
        group by at_{{ step - 1 }}.end_person_id, {{ onward }}.neighbour_id
    ),

    at_{{ step }} as (
        select reached_{{ step }}.*
        from reached_{{ step }}
        anti join within_{{ step - 1 }} as nearer
            on
                reached_{{ step }}.end_person_id = nearer.end_person_id
                and reached_{{ step }}.person_id = nearer.person_id
    ),

    within_{{ step }} as (
        select * from within_{{ step - 1 }}
        union all
        select * from at_{{ step }}
    ),
{%- endfor %}

named as (
    select * from within_{{ var('chain_steps') }}
    where steps > 0
),

-- A protected person within these steps counts all the same, and so does a person reached over one: a number shows no
-- name and no place.
around_protected as (
    select person_id as protected_id, person_id, 0 as steps from protected_people
    union
    select
        around_protected.protected_id,
        neighbours.neighbour_id as person_id,
        around_protected.steps + 1 as steps
    from around_protected
    inner join neighbours on around_protected.person_id = neighbours.person_id
    where around_protected.steps < {{ var('chain_steps') }}
),

unnamed as (
    select
        ends.person_id as end_person_id,
        children.person_id,
        min(children.steps + ends.steps) as steps,
        null::varchar as path
    from around_protected as children
    inner join around_protected as ends on children.protected_id = ends.protected_id
    semi join subjects on children.person_id = subjects.person_id
    semi join recent_cases on ends.person_id = recent_cases.person_id
    anti join named on children.person_id = named.person_id and ends.person_id = named.end_person_id
    where children.steps + ends.steps <= {{ var('chain_steps') }} and children.person_id <> ends.person_id
    group by ends.person_id, children.person_id
),

reached as (
    select * from named
    union all
    select * from unnamed
)

select
    reached.person_id,
    'horizontal' as chain_type,
    reached.end_person_id,
    reached.steps,
    reached.path,
    recent_cases.case_source_id,
    recent_cases.case_source_key,
    recent_cases.case_on,
    recent_cases.delivery_id,
    recent_cases.line_number
from reached
inner join subjects on reached.person_id = subjects.person_id
inner join recent_cases on reached.end_person_id = recent_cases.person_id
left join households on reached.end_person_id = households.person_id
anti join ancestors
    on reached.person_id = ancestors.person_id and reached.end_person_id = ancestors.ancestor_id
where subjects.household_id is null or subjects.household_id is distinct from households.household_id
