-- The cohort with the scores that each version gave at the freeze. Grain: one row per version, difficulty type, child.
with frozen as (
    select * from {{ ref('int_evaluation__frozen') }}
),

cohort as (
    select * from {{ ref('int_evaluation__cohort') }}
),

tiers as (
    select * from {{ ref('risk_tiers') }}
),

unnested as (
    select
        frozen.*,
        unnest(frozen.scores) as given
    from frozen
),

scored as (
    select
        unnested.*,
        unnested.given['model_version'] as model_version,
        unnested.given['difficulty_type'] as difficulty_type,
        unnested.given['score'] as score,
        unnested.given['tier'] as tier,
        unnested.given['completeness'] as completeness
    from unnested
),

lowest_ranks as (
    select
        model_version,
        difficulty_type,
        min(tier_rank) as tier_rank
    from tiers
    group by model_version, difficulty_type
)

select
    scored.model_version,
    scored.difficulty_type,
    scored.person_id,
    scored.score,
    scored.tier,
    coalesce(tiers.tier_rank > lowest_ranks.tier_rank, false) as is_flagged,
    scored.completeness,
    cohort.became_case,
    scored.sex,
    {{ wide_age_band('scored.age_months') }} as age_band,
    coalesce(scored.area_code, '不明') as area_code,
    scored.is_foreign,
    scored.is_single_parent,
    scored.has_public_assistance,
    scored.has_disability,
    row_number() over (
        partition by scored.model_version, scored.difficulty_type
        order by scored.score desc, scored.age_months asc, scored.person_id asc
    ) as score_rank
from scored
inner join cohort
    on scored.difficulty_type = cohort.difficulty_type and scored.person_id = cohort.person_id
left join tiers
    on
        scored.model_version = tiers.model_version
        and scored.difficulty_type = tiers.difficulty_type
        and scored.tier = tiers.tier
left join lowest_ranks
    on
        scored.model_version = lowest_ranks.model_version
        and scored.difficulty_type = lowest_ranks.difficulty_type
