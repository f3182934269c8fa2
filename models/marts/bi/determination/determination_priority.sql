-- Priority as determined, its place among all children in service, and what it is in service.
-- Grain: one row per child with a score.
with

children as (
    select * from {{ ref('dim_child') }}
),

priorities as (
    select * from {{ ref('fct_support_priority') }}
    where as_of_on = {{ as_of() }}
),

in_service as (
    select * from {{ ref('bi_child') }}
    where priority_rank is not null
),

tiers as (
    select
        tier,
        any_value(label_ja) as tier_label
    from {{ ref('risk_tiers') }}
    group by tier
),

-- The order of fct_support_priority.
determined as (
    select
        priorities.*,
        (
            priorities.priority_class,
            -priorities.total_score,
            children.age_months,
            priorities.person_id
        ) as place
    from priorities
    inner join children on priorities.person_id = children.person_id
),

places as (
    select
        (
            in_service.priority_class,
            -in_service.total_score,
            in_service.age_months,
            in_service.person_id
        ) as place
    from in_service
    anti join children on in_service.person_id = children.person_id
    union all
    select place
    from determined
),

ranked as (
    select
        determined.person_id,
        count(*) as priority_rank
    from determined
    inner join places on determined.place >= places.place
    group by determined.person_id
)

select
    determined.person_id,
    determined.tier,
    tiers.tier_label,
    determined.total_score,
    determined.priority_class,
    determined.due_days,
    ranked.priority_rank,
    in_service.priority_class as priority_class_before,
    in_service.priority_rank as priority_rank_before
from determined
inner join ranked on determined.person_id = ranked.person_id
left join tiers on determined.tier = tiers.tier
left join in_service on determined.person_id = in_service.person_id
