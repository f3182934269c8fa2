-- Other as-of dates stay: a run replaces the rows of its own date only.
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='as_of_on') }}

with every_score as (
    select * from {{ ref('int_risk__scores') }}
),

active_versions as (
    select * from {{ ref('risk_model_versions') }}
    where status = 'active'
),

tiers as (
    select * from {{ ref('risk_tiers') }}
),

every_rule as (
    select * from {{ ref('support_priority_rules') }}
),

children as (
    select * from {{ ref('dim_child') }}
),

chains as (
    select
        person_id,
        bool_or(chain_type = 'vertical' and value > 0) as has_vertical,
        bool_or(chain_type = 'horizontal' and value > 0) as has_horizontal
    from {{ ref('int_chain__values') }}
    group by person_id
),

scores as (
    select every_score.*
    from every_score
    inner join active_versions on every_score.model_version = active_versions.model_version
),

rules as (
    {{ rules_in_force('every_rule', 'active_versions') }}
),

ranked as (
    select
        scores.person_id,
        scores.difficulty_type,
        scores.tier,
        scores.score,
        tiers.tier_rank,
        max(tiers.tier_rank) over (partition by scores.person_id) as highest_rank
    from scores
    left join tiers
        on
            scores.model_version = tiers.model_version
            and scores.difficulty_type = tiers.difficulty_type
            and scores.tier = tiers.tier
),

summed as (
    select
        person_id,
        max(tier) filter (where tier_rank = highest_rank) as tier,
        max(highest_rank) as tier_rank,
        count(*) filter (where tier_rank = highest_rank) as difficulties,
        sum(score) as total_score
    from ranked
    group by person_id
),

tier_ranks as (
    select
        tier,
        max(tier_rank) as tier_rank
    from tiers
    group by tier
),

matched as (
    select
        summed.person_id,
        summed.tier,
        summed.total_score,
        children.age_months,
        rules.priority_class,
        rules.due_days
    from summed
    inner join children on summed.person_id = children.person_id
    left join chains on summed.person_id = chains.person_id
    inner join rules
        on
            (rules.min_difficulties is null or summed.difficulties >= rules.min_difficulties)
            and (rules.vertical is null or rules.vertical = coalesce(chains.has_vertical, false))
            and (rules.horizontal is null or rules.horizontal = coalesce(chains.has_horizontal, false))
            and (rules.age_from_months is null or children.age_months >= rules.age_from_months)
            and (rules.age_to_months is null or children.age_months < rules.age_to_months)
            and (rules.is_known is null or children.is_known_to_services = rules.is_known)
    left join tier_ranks as lowest on rules.min_tier = lowest.tier
    left join tier_ranks as highest on rules.max_tier = highest.tier
    where
        (rules.min_tier is null or summed.tier_rank >= lowest.tier_rank)
        and (rules.max_tier is null or summed.tier_rank <= highest.tier_rank)
    qualify row_number() over (partition by summed.person_id order by rules.rule_no) = 1
)

select
    {{ as_of() }} as as_of_on,
    person_id,
    tier,
    cast(total_score as decimal(18, 3)) as total_score,
    priority_class,
    due_days,
    row_number() over (
        order by priority_class asc, total_score desc, age_months asc, person_id asc
    ) as priority_rank
from matched
