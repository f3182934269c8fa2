-- What it is: children × scored versions and difficulty types that concern their age, without a score or a tier in this
-- run.
-- When it matters: always; a child who falls out of a join is never looked at.
-- How to resolve: look for an inner join on the way from dim_child to int_risk__scores; a missing tier means that
-- the version's lowest tier has a min_score (leave it empty).
with

children as (
    select * from {{ ref('dim_child') }}
),

versions as (
    select * from {{ ref('int_risk__versions') }}
),

targets as (
    select * from {{ ref('risk_targets') }}
),

other_ages as (
    -- the type concerns some ages, and not this child's
    select
        children.person_id,
        targets.model_version,
        targets.difficulty_type
    from children
    cross join targets
    group by children.person_id, targets.model_version, targets.difficulty_type
    having not coalesce(bool_or({{ applies_at_age('targets', 'children.age_months') }}), false)
),

scores as (
    select * from {{ ref('fct_risk_score') }}
    where as_of_on = {{ as_of() }} and tier is not null
)

select
    children.person_id,
    versions.model_version,
    versions.difficulty_type
from children
cross join versions
anti join scores
    on
        children.person_id = scores.person_id
        and versions.model_version = scores.model_version
        and versions.difficulty_type = scores.difficulty_type
anti join other_ages
    on
        children.person_id = other_ages.person_id
        and versions.model_version = other_ages.model_version
        and versions.difficulty_type = other_ages.difficulty_type
