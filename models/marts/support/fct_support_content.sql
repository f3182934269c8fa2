-- Other as-of dates stay: a run replaces the rows of its own date only.
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='as_of_on') }}

with every_score as (
    select * from {{ ref('int_risk__scores') }}
),

versions as (
    select * from {{ ref('risk_model_versions') }}
),

children as (
    select * from {{ ref('dim_child') }}
),

priorities as (
    select * from {{ ref('fct_support_priority') }}
    where as_of_on = {{ as_of() }}
),

chains as (
    select
        person_id,
        chain_type
    from {{ ref('int_chain__values') }}
    where value > 0
),

rules as (
    select * from {{ ref('support_rules') }}
),

active_versions as (
    select * from versions
    where status = 'active'
),

versions_with_rules as (
    select distinct model_version
    from rules
    where model_version is not null
),

rules_of_children as (
    {{ rules_in_force('rules', 'active_versions') }}
),

scores as (
    -- a trial version speaks only for what no active version scores
    select every_score.*
    from every_score
    inner join versions on every_score.model_version = versions.model_version
    qualify
        versions.status = 'active'
        or not bool_or(versions.status = 'active') over (partition by every_score.difficulty_type)
),

by_difficulty as (
    select
        scores.person_id,
        scores.difficulty_type,
        scores.tier,
        rules.rule_no,
        rules.support_code,
        rules.content_ja,
        rules.chain
    from scores
    inner join children on scores.person_id = children.person_id
    left join versions_with_rules on scores.model_version = versions_with_rules.model_version
    inner join rules
        on
            rules.model_version is not distinct from versions_with_rules.model_version
            and scores.difficulty_type = rules.difficulty_type
            and (rules.tier is null or scores.tier = rules.tier)
            and (rules.age_from_months is null or children.age_months >= rules.age_from_months)
            and (rules.age_to_months is null or children.age_months < rules.age_to_months)
),

by_child as (
    -- rules for any difficulty type look at the gravest tier
    select
        children.person_id,
        cast(null as varchar) as difficulty_type,
        priorities.tier,
        rules.rule_no,
        rules.support_code,
        rules.content_ja,
        rules.chain
    from children
    left join priorities on children.person_id = priorities.person_id
    inner join rules_of_children as rules
        on
            rules.difficulty_type is null
            and (rules.tier is null or priorities.tier = rules.tier)
            and (rules.age_from_months is null or children.age_months >= rules.age_from_months)
            and (rules.age_to_months is null or children.age_months < rules.age_to_months)
),

matched as (
    select * from by_difficulty
    union all
    select * from by_child
)

select distinct
    {{ as_of() }} as as_of_on,
    matched.person_id,
    matched.difficulty_type,
    matched.tier,
    matched.rule_no,
    matched.support_code,
    matched.content_ja
from matched
left join chains on matched.person_id = chains.person_id and matched.chain = chains.chain_type
where matched.chain is null or chains.chain_type is not null
