-- Children by difficulty type, area and tier, as they are: what the counts of areas that readers see are made from.
-- One row per difficulty type with a score, area and tier, none missing. People under a support measure are in no
-- count: a count of one would tell where they are.
with

children as (
    select person_id, area_code, tier, is_unknown_risk
    from {{ ref('bi_child') }}
    where not is_dv_protected and area_code is not null and tier is not null
),

child_tiers as (
    select person_id, area_code, difficulty_type, tier
    from {{ ref('bi_child_tier') }}
    where is_active_version and not is_dv_protected and area_code is not null and tier is not null
),

areas as (
    select area_code from {{ ref('areas') }}
),

tiers as (
    select tier, max(tier_rank) as tier_rank
    from {{ ref('risk_tiers') }}
    group by tier
    union all
    select 'unscored' as tier, 0 as tier_rank
),

rows_of_both as (
    select 'overall' as difficulty_type, area_code, tier, is_unknown_risk from children
    union all
    select difficulty_type, area_code, tier, false as is_unknown_risk from child_tiers
),

present as (
    select distinct difficulty_type from rows_of_both
),

counted as (
    select
        difficulty_type,
        area_code,
        tier,
        count(*) as children,
        count(*) filter (where is_unknown_risk) as unknown_children
    from rows_of_both
    group by difficulty_type, area_code, tier
)

select
    present.difficulty_type,
    areas.area_code,
    tiers.tier,
    tiers.tier_rank,
    coalesce(counted.children, 0)::integer as children,
    coalesce(counted.unknown_children, 0)::integer as unknown_children
from present
cross join areas
cross join tiers
left join counted
    on
        present.difficulty_type = counted.difficulty_type
        and areas.area_code = counted.area_code
        and tiers.tier = counted.tier
