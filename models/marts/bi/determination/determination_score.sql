-- Scores and tiers as determined, beside those in service. Grain: one row per child, model version and difficulty type.
with

scores as (
    select * from {{ ref('int_risk__scores') }}
),

published as (
    select max(as_of_on) as as_of_on from {{ ref('bi_child') }}
),

in_service as (
    select scores.*
    from {{ ref('fct_risk_score') }} as scores
    inner join published on scores.as_of_on = published.as_of_on
),

versions as (
    select * from {{ ref('risk_model_versions') }}
),

difficulties as (
    select * from {{ ref('difficulty_types') }}
),

tiers as (
    select * from {{ ref('risk_tiers') }}
)

select
    scores.person_id,
    scores.model_version,
    versions.status,
    scores.difficulty_type,
    coalesce(difficulties.label_ja, scores.difficulty_type) as difficulty_label,
    scores.score,
    scores.tier,
    coalesce(tiers.label_ja, scores.tier) as tier_label,
    scores.is_override,
    scores.completeness,
    in_service.score as score_before,
    in_service.tier as tier_before,
    tiers_before.label_ja as tier_label_before,
    coalesce(in_service.score <> scores.score or in_service.tier <> scores.tier, true) as is_changed
from scores
left join versions on scores.model_version = versions.model_version
left join difficulties on scores.difficulty_type = difficulties.difficulty_type
left join tiers
    on
        scores.model_version = tiers.model_version
        and scores.difficulty_type = tiers.difficulty_type
        and scores.tier = tiers.tier
left join in_service
    on
        scores.model_version = in_service.model_version
        and scores.difficulty_type = in_service.difficulty_type
        and scores.person_id = in_service.person_id
left join tiers as tiers_before
    on
        in_service.model_version = tiers_before.model_version
        and in_service.difficulty_type = tiers_before.difficulty_type
        and in_service.tier = tiers_before.tier
order by
    scores.person_id, versions.status <> 'active', scores.model_version, difficulties.sort_order,
    scores.difficulty_type
