-- By when the meeting should look at a child, counted from the first batch that asked for it: a batch that runs every
-- night puts no limit off. Grain: one row per child with a raised tier on the as-of date.
with priorities as (
    select * from {{ ref('fct_support_priority') }}
    where as_of_on <= {{ as_of() }}
),

tiers as (
    select
        tier,
        max(tier_rank) as tier_rank
    from {{ ref('risk_tiers') }}
    group by tier
),

decisions as (
    select
        person_id,
        max(coalesce(meeting_on, decided_on)) as decided_on
    from {{ ref('fct_decision') }}
    group by person_id
),

-- What a meeting has seen asks for no look any more, but for what stands today.
open_days as (
    select
        priorities.person_id,
        priorities.as_of_on,
        priorities.due_days,
        tiers.tier_rank
    from priorities
    left join tiers on priorities.tier = tiers.tier
    left join decisions on priorities.person_id = decisions.person_id
    where
        decisions.decided_on is null
        or priorities.as_of_on > decisions.decided_on
        or priorities.as_of_on = {{ as_of() }}
),

-- A limit holds while the child has been at least as urgent on every batch since.
limits as (
    select
        *,
        max(due_days) over since as longest_days_since,
        bool_and(tier_rank >= 2) over since as is_raised_since
    from open_days
    window
        since as (
            partition by person_id
            order by as_of_on desc
            rows between unbounded preceding and current row
        )
)

select
    {{ as_of() }} as as_of_on,
    person_id,
    arg_min(as_of_on, as_of_on + cast(longest_days_since as integer)) as due_since,
    min(as_of_on + cast(longest_days_since as integer)) as due_on
from limits
where is_raised_since
group by person_id
