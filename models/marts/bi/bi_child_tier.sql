-- Score and tier of each child in each difficulty type: one row per child, model version and difficulty type.
with

children as (
    select * from {{ ref('bi_child') }}
),

scores as (
    select * from {{ ref('fct_risk_score') }}
    where as_of_on = {{ as_of() }}
),

versions as (
    select * from {{ ref('risk_model_versions') }}
),

tiers as (
    select * from {{ ref('risk_tiers') }}
),

-- Of a tier without a beginning, the beginning of the next graver one.
thresholds as (
    select
        tiers.model_version,
        tiers.difficulty_type,
        tiers.tier,
        bounds.min_score as threshold,
        bounds.label_ja as threshold_label
    from tiers
    inner join tiers as bounds
        on
            tiers.model_version = bounds.model_version
            and tiers.difficulty_type = bounds.difficulty_type
            and tiers.tier_rank <= bounds.tier_rank
            and bounds.min_score is not null
    qualify row_number() over (
        partition by tiers.model_version, tiers.difficulty_type, tiers.tier order by bounds.tier_rank
    ) = 1
),

difficulties as (
    select * from {{ ref('difficulty_types') }}
)

select
    {{ child_columns() }},
    children.is_dv_protected,
    scores.model_version,
    versions.status = 'active' as is_active_version,
    case versions.status when 'active' then '運用中' else '試行' end as version_status_label,
    scores.difficulty_type,
    difficulties.label_ja as difficulty_label,
    difficulties.sort_order as difficulty_order,
    scores.score,
    scores.tier,
    tiers.label_ja as tier_label,
    tiers.tier_rank,
    thresholds.threshold,
    thresholds.threshold_label,
    scores.is_override,
    case when scores.is_override then '有' else '無' end as override_label,
    scores.completeness
from scores
inner join children on scores.person_id = children.person_id
inner join versions on scores.model_version = versions.model_version
left join tiers
    on
        scores.model_version = tiers.model_version
        and scores.difficulty_type = tiers.difficulty_type
        and scores.tier = tiers.tier
left join thresholds
    on
        scores.model_version = thresholds.model_version
        and scores.difficulty_type = thresholds.difficulty_type
        and scores.tier = thresholds.tier
left join difficulties on scores.difficulty_type = difficulties.difficulty_type
