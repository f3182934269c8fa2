-- By when each child has to be seen, and whether that day has passed. Grain: one row per child.
with

children as (
    select * from {{ ref('dim_child') }}
    where not is_unborn
),

priorities as (
    select * from {{ ref('fct_support_priority') }}
    where as_of_on = {{ as_of() }}
),

limits as (
    select * from {{ ref('sighting_limits') }}
),

limited as (
    select
        children.person_id,
        priorities.tier,
        children.last_seen_on,
        children.last_seen_by,
        children.last_seen_kind,
        limits.limit_days,
        -- A child that was never seen is expected from its birth on.
        coalesce(children.last_seen_on, children.birth_on) as counted_from
    from children
    left join priorities on children.person_id = priorities.person_id
    left join limits
        on
            (limits.tier is null or priorities.tier = limits.tier)
            and (limits.age_from_months is null or children.age_months >= limits.age_from_months)
            and (limits.age_to_months is null or children.age_months < limits.age_to_months)
    qualify row_number() over (partition by children.person_id order by limits.rule_no asc nulls last) = 1
)

select
    {{ as_of() }} as as_of_on,
    person_id,
    tier,
    last_seen_on,
    last_seen_by,
    last_seen_kind,
    limit_days,
    counted_from + limit_days as seen_by_on,
    case
        when limit_days is null then false
        -- Where neither a sighting nor a birth date is on file, nothing says that the child is safe.
        when counted_from is null then true
        else counted_from + limit_days < {{ as_of() }}
    end as is_overdue
from limited
