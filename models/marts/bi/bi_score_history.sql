-- How a child's scores moved: one row per child, as-of date and difficulty type of the active version.
with

children as (
    select * from {{ ref('bi_child') }}
),

scores as (
    select scores.*
    from {{ ref('fct_risk_score') }} as scores
    inner join {{ ref('risk_model_versions') }} as versions
        on scores.model_version = versions.model_version and versions.status = 'active'
),

tiers as (
    select * from {{ ref('risk_tiers') }}
),

difficulties as (
    select * from {{ ref('difficulty_types') }}
)

select
    {{ child_columns() }},
    children.is_dv_protected,
    scores.as_of_on as scored_on,
    scores.model_version,
    scores.difficulty_type,
    difficulties.label_ja as difficulty_label,
    scores.score,
    scores.tier,
    tiers.label_ja as tier_label
from scores
inner join children on scores.person_id = children.person_id
left join tiers
    on
        scores.model_version = tiers.model_version
        and scores.difficulty_type = tiers.difficulty_type
        and scores.tier = tiers.tier
left join difficulties on scores.difficulty_type = difficulties.difficulty_type
