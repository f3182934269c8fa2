with scored as (
    select * from {{ ref('int_risk__scored') }}
),

contributions as (
    select * from {{ ref('int_risk__contributions') }}
),

met_bands as (
    select * from {{ ref('int_risk__met_bands') }}
),

combination_bands as (
    select * from {{ ref('int_risk__combination_bands') }}
),

used_items as (
    select * from {{ ref('int_risk__used_items') }}
    where kind = 'observation'
),

item_sources as (
    select * from {{ ref('int_risk__item_sources') }}
),

applicable_items as (
    select * from {{ ref('int_risk__applicable_items') }}
),

unanswered as (
    select * from {{ ref('int_risk__unanswered') }}
),

observed_values as (
    select * from {{ ref('int_risk__values') }}
),

tiers as (
    select * from {{ ref('risk_tiers') }}
),

overrides as (
    select * from {{ ref('risk_overrides') }}
),

sums as (
    select
        person_id,
        model_version,
        difficulty_type,
        sum(coefficient) as score
    from contributions
    where is_counted
    group by person_id, model_version, difficulty_type
),

applicable as (
    select
        age_months,
        model_version,
        difficulty_type,
        sum(items) as applicable_items,
        coalesce(sum(items) filter (where is_barred), 0) as barred_items,
        coalesce(sum(items) filter (where source_id is null and not is_barred), 0) as sourceless_items
    from applicable_items
    group by age_months, model_version, difficulty_type
),

unanswered_by_source as (
    select
        scored.person_id,
        scored.model_version,
        scored.difficulty_type,
        sum(applicable_items.items) as unanswered_items
    from scored
    inner join applicable_items
        on
            scored.age_months is not distinct from applicable_items.age_months
            and scored.model_version = applicable_items.model_version
            and scored.difficulty_type = applicable_items.difficulty_type
            and not applicable_items.is_barred
    inner join unanswered
        on
            scored.person_id = unanswered.person_id
            and applicable_items.source_id = unanswered.source_id
    group by scored.person_id, scored.model_version, scored.difficulty_type
),

observed as (
    -- where no source is known, what was observed is what was answered
    select
        observed_values.person_id,
        used_items.model_version,
        used_items.difficulty_type,
        count(*) as observed_items
    from observed_values
    inner join used_items on observed_values.item_code = used_items.item_code
    inner join item_sources on observed_values.item_code = item_sources.item_code
    where item_sources.source_id is null and not item_sources.is_barred
    group by observed_values.person_id, used_items.model_version, used_items.difficulty_type
),

totals as (
    select
        scored.person_id,
        scored.model_version,
        scored.difficulty_type,
        cast(coalesce(sums.score, 0) as decimal(18, 3)) as score,
        cast(
            (
                applicable.applicable_items
                - applicable.barred_items
                - coalesce(unanswered_by_source.unanswered_items, 0)
                - (applicable.sourceless_items - coalesce(observed.observed_items, 0))
            ) / nullif(applicable.applicable_items, 0) as decimal(7, 4)
        ) as completeness
    from scored
    left join sums
        on
            scored.person_id = sums.person_id
            and scored.model_version = sums.model_version
            and scored.difficulty_type = sums.difficulty_type
    left join applicable
        on
            scored.age_months is not distinct from applicable.age_months
            and scored.model_version = applicable.model_version
            and scored.difficulty_type = applicable.difficulty_type
    left join unanswered_by_source
        on
            scored.person_id = unanswered_by_source.person_id
            and scored.model_version = unanswered_by_source.model_version
            and scored.difficulty_type = unanswered_by_source.difficulty_type
    left join observed
        on
            scored.person_id = observed.person_id
            and scored.model_version = observed.model_version
            and scored.difficulty_type = observed.difficulty_type
),

reached as (
    select
        totals.person_id,
        totals.model_version,
        totals.difficulty_type,
        max(tiers.tier_rank) as tier_rank
    from totals
    inner join tiers
        on
            totals.model_version = tiers.model_version
            and totals.difficulty_type = tiers.difficulty_type
            and (tiers.min_score is null or totals.score >= tiers.min_score)
    group by totals.person_id, totals.model_version, totals.difficulty_type
),

overriding_bands as (
    select
        overrides.model_version,
        overrides.difficulty_type,
        met_bands.person_id,
        overrides.at_least_tier
    from overrides
    inner join met_bands
        on overrides.item_code = met_bands.item_code and overrides.band_no = met_bands.band_no
    union all
    select
        overrides.model_version,
        overrides.difficulty_type,
        combination_bands.person_id,
        overrides.at_least_tier
    from overrides
    inner join combination_bands
        on
            overrides.model_version = combination_bands.model_version
            and overrides.difficulty_type = combination_bands.difficulty_type
            and overrides.item_code = combination_bands.item_code
            and overrides.band_no = combination_bands.band_no
),

forced as (
    select
        overriding_bands.person_id,
        overriding_bands.model_version,
        overriding_bands.difficulty_type,
        max(tiers.tier_rank) as tier_rank
    from overriding_bands
    inner join tiers
        on
            overriding_bands.model_version = tiers.model_version
            and overriding_bands.difficulty_type = tiers.difficulty_type
            and overriding_bands.at_least_tier = tiers.tier
    group by overriding_bands.person_id, overriding_bands.model_version, overriding_bands.difficulty_type
),

ranked as (
    select
        totals.*,
        greatest(reached.tier_rank, forced.tier_rank) as tier_rank,
        coalesce(forced.tier_rank > coalesce(reached.tier_rank, forced.tier_rank - 1), false) as is_override
    from totals
    left join reached
        on
            totals.person_id = reached.person_id
            and totals.model_version = reached.model_version
            and totals.difficulty_type = reached.difficulty_type
    left join forced
        on
            totals.person_id = forced.person_id
            and totals.model_version = forced.model_version
            and totals.difficulty_type = forced.difficulty_type
)

select
    {{ as_of() }} as as_of_on,
    ranked.model_version,
    ranked.difficulty_type,
    ranked.person_id,
    ranked.score,
    tiers.tier,
    ranked.is_override,
    ranked.completeness
from ranked
left join tiers
    on
        ranked.model_version = tiers.model_version
        and ranked.difficulty_type = tiers.difficulty_type
        and ranked.tier_rank = tiers.tier_rank
