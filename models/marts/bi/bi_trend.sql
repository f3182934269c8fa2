-- How many children stood where at each as-of date: one row per as-of date, area, difficulty type and tier, and per
-- what decides who may count them (departments, protection).
with

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
),

areas as (
    select * from {{ ref('areas') }}
),

-- Where a child lives is known for today; a score of years ago is counted where its child lives now.
persons as (
    select person_id, area_code from {{ ref('dim_person') }}
),

children as (
    select person_id, area_code, departments, is_dv_protected, is_unknown_risk from {{ ref('bi_child') }}
),

labelled as (
    select
        scores.as_of_on,
        scores.model_version,
        scores.difficulty_type,
        scores.person_id,
        scores.tier,
        tiers.label_ja as tier_label,
        tiers.tier_rank
    from scores
    inner join tiers
        on
            scores.model_version = tiers.model_version
            and scores.difficulty_type = tiers.difficulty_type
            and scores.tier = tiers.tier
),

-- The gravest tier of a child stands beside its difficulty types as one more of them.
overall as (
    select
        as_of_on,
        'overall' as difficulty_type,
        person_id,
        arg_max(tier, tier_rank) as tier,
        arg_max(tier_label, tier_rank) as tier_label,
        max(tier_rank) as tier_rank
    from labelled
    group by all
),

rows_of_both as (
    select as_of_on, difficulty_type, person_id, tier, tier_label, tier_rank from labelled
    union all
    select as_of_on, difficulty_type, person_id, tier, tier_label, tier_rank from overall
)

select
    scored.as_of_on,
    coalesce(children.area_code, persons.area_code) as area_code,
    coalesce(areas.area_name_ja, '（地区不明）') as area_name,
    coalesce(areas.sort_order, 99) as area_order,
    scored.difficulty_type,
    coalesce(difficulties.label_ja, '総合') as difficulty_label,
    scored.tier,
    scored.tier_label,
    scored.tier_rank,
    -- A person who is no longer a child is counted by the child department only.
    coalesce(children.departments, '|child|') as departments,
    coalesce(children.is_dv_protected, true) as is_dv_protected,
    scored.as_of_on = {{ as_of() }} as is_latest,
    count(*)::integer as children,
    -- Who knows a child is known for today only.
    count(*) filter (
        where children.is_unknown_risk and scored.as_of_on = {{ as_of() }}
    )::integer as unknown_children
from rows_of_both as scored
left join children on scored.person_id = children.person_id
left join persons on scored.person_id = persons.person_id
left join areas on coalesce(children.area_code, persons.area_code) = areas.area_code
left join difficulties on scored.difficulty_type = difficulties.difficulty_type
group by all
