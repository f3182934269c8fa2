-- How many children each list has of those who must not be lost sight of. Grain: one row per list.
with

lists as (
    select * from {{ ref('follow_up_lists') }}
),

overdue as (
    select * from {{ ref('fct_sighting_due') }}
    where is_overdue
),

leavers as (
    select * from {{ ref('fct_leaver') }}
    where is_open
),

arrivals as (
    select * from {{ ref('fct_arrival') }}
    where is_waiting
),

checks as (
    select * from {{ ref('fct_status_check') }}
    where standing = 'candidate'
),

benefits as (
    select * from {{ ref('fct_unclaimed_benefit') }}
    where standing = 'candidate'
),

tier_ranks as (
    select
        tier,
        max(tier_rank) as tier_rank
    from {{ ref('risk_tiers') }}
    group by tier
),

listed as (
    select 'overdue' as list, person_id from overdue
    union all
    select 'overdue_at_risk' as list, overdue.person_id
    from overdue
    inner join tier_ranks on overdue.tier = tier_ranks.tier
    where tier_ranks.tier_rank >= 2
    union all
    select 'leaver' as list, person_id from leavers
    union all
    select 'arrival' as list, person_id from arrivals
    union all
    select 'arrival_late' as list, person_id from arrivals
    where is_late
    union all
    select 'status_check' as list, person_id from checks
    union all
    select 'unclaimed_benefit' as list, person_id from benefits
)

select
    {{ as_of() }} as as_of_on,
    lists.list,
    count(distinct listed.person_id)::integer as children
from lists
left join listed on lists.list = listed.list
group by lists.list
