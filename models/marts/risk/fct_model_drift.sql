-- What moved since the last run: each as-of date beside the last one before it on record.
-- Other as-of dates stay: a run replaces the rows of its own date only.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook='{{ replace_rows_of_this_date() }}'
    )
}}

with all_scores as (
    select * from {{ ref('fct_risk_score') }}
    where as_of_on <= {{ as_of() }}
),

all_contributions as (
    select * from {{ ref('fct_risk_contribution') }}
    where as_of_on <= {{ as_of() }} and band_no is not null
),

tiers as (
    select * from {{ ref('risk_tiers') }}
),

children as (
    select * from {{ ref('dim_child') }}
),

areas as (
    select * from {{ ref('areas') }}
),

last_dates as (
    select
        model_version,
        difficulty_type,
        max(as_of_on) as previous_as_of_on
    from all_scores
    where as_of_on < {{ as_of() }}
    group by model_version, difficulty_type
),

scores as (
    -- both dates, where there are two
    select
        all_scores.*,
        last_dates.previous_as_of_on,
        all_scores.as_of_on = {{ as_of() }} as is_after
    from all_scores
    inner join last_dates
        on
            all_scores.model_version = last_dates.model_version
            and all_scores.difficulty_type = last_dates.difficulty_type
    where all_scores.as_of_on in ({{ as_of() }}, last_dates.previous_as_of_on)
),

contributions as (
    select
        all_contributions.*,
        all_contributions.as_of_on = {{ as_of() }} as is_after
    from all_contributions
    inner join last_dates
        on
            all_contributions.model_version = last_dates.model_version
            and all_contributions.difficulty_type = last_dates.difficulty_type
    where all_contributions.as_of_on in ({{ as_of() }}, last_dates.previous_as_of_on)
),

populations as (
    select
        model_version,
        difficulty_type,
        previous_as_of_on,
        count(*) filter (where not is_after) as children_before,
        count(*) filter (where is_after) as children_after,
        avg(completeness) filter (where not is_after) as completeness_before,
        avg(completeness) filter (where is_after) as completeness_after
    from scores
    group by model_version, difficulty_type, previous_as_of_on
    -- a version that is scored no more has nothing to compare
    having children_after > 0
),

score_parts as (
    select
        model_version,
        difficulty_type,
        'all' as group_kind,
        '全体' as group_value,
        cast(floor(score / 2) as integer) as part,
        count(*) filter (where not is_after) as before,
        count(*) filter (where is_after) as after
    from scores
    group by model_version, difficulty_type, floor(score / 2)
),

met_parts as (
    select
        model_version,
        difficulty_type,
        'item' as group_kind,
        item_code as group_value,
        band_no as part,
        count(*) filter (where not is_after) as before,
        count(*) filter (where is_after) as after
    from contributions
    group by model_version, difficulty_type, item_code, band_no
),

items as (
    select
        met_parts.model_version,
        met_parts.difficulty_type,
        met_parts.group_kind,
        met_parts.group_value,
        populations.children_before,
        populations.children_after,
        sum(met_parts.before) as met_before,
        sum(met_parts.after) as met_after
    from met_parts
    inner join populations
        on
            met_parts.model_version = populations.model_version
            and met_parts.difficulty_type = populations.difficulty_type
    group by all
),

parts as (
    select * from score_parts
    union all
    select * from met_parts
    union all
    -- people who meet no band of the item
    select
        model_version,
        difficulty_type,
        group_kind,
        group_value,
        cast(null as integer) as part,
        children_before - met_before as before,
        children_after - met_after as after
    from items
),

part_shares as (
    -- half a child is added to every part: an empty one has no logarithm
    select
        *,
        (before + 0.5) / sum(before + 0.5) over whole as share_before,
        (after + 0.5) / sum(after + 0.5) over whole as share_after
    from parts
    window whole as (partition by model_version, difficulty_type, group_kind, group_value)
),

stability as (
    -- population stability index: below 0.1 little has moved, from 0.25 much has
    select
        model_version,
        difficulty_type,
        'psi' as measure,
        group_kind,
        group_value,
        sum((share_after - share_before) * ln(share_after / share_before)) as measured,
        cast(null as hugeint) as part,
        cast(null as double) as measured_before,
        sum(after) as people,
        sum(before) as people_before
    from part_shares
    group by model_version, difficulty_type, group_kind, group_value
),

met_shares as (
    select
        model_version,
        difficulty_type,
        'share' as measure,
        group_kind,
        group_value,
        met_after / children_after as measured,
        met_after as part,
        met_before / children_before as measured_before,
        children_after as people,
        children_before as people_before
    from items
),

tier_counts as (
    select
        model_version,
        difficulty_type,
        coalesce(tier, '区分なし') as tier,
        count(*) filter (where is_after) as part,
        count(*) filter (where not is_after) as part_before
    from scores
    group by model_version, difficulty_type, tier
),

tier_shares as (
    select
        tier_counts.model_version,
        tier_counts.difficulty_type,
        'share' as measure,
        'tier' as group_kind,
        tier_counts.tier as group_value,
        tier_counts.part / populations.children_after as measured,
        tier_counts.part,
        tier_counts.part_before / populations.children_before as measured_before,
        populations.children_after as people,
        populations.children_before as people_before
    from tier_counts
    inner join populations
        on
            tier_counts.model_version = populations.model_version
            and tier_counts.difficulty_type = populations.difficulty_type
),

completeness as (
    select
        model_version,
        difficulty_type,
        'completeness' as measure,
        'all' as group_kind,
        '全体' as group_value,
        completeness_after as measured,
        cast(null as hugeint) as part,
        completeness_before as measured_before,
        children_after as people,
        children_before as people_before
    from populations
),

ranked as (
    select
        scores.model_version,
        scores.difficulty_type,
        scores.person_id,
        scores.is_after,
        coalesce(tiers.tier_rank, 0) as tier_rank
    from scores
    left join tiers
        on
            scores.model_version = tiers.model_version
            and scores.difficulty_type = tiers.difficulty_type
            and scores.tier = tiers.tier
),

pairs as (
    -- children who were scored at both dates
    select
        ranks_after.model_version,
        ranks_after.difficulty_type,
        sign(ranks_after.tier_rank - ranks_before.tier_rank) as direction,
        {{ age_band('children.age_months') }} as age_band,
        -- A number by area must not show where a protected person lives.
        case when children.is_dv_protected then '不明' else coalesce(areas.area_name_ja, '不明') end as area_name
    from ranked as ranks_after
    inner join ranked as ranks_before
        on
            ranks_after.model_version = ranks_before.model_version
            and ranks_after.difficulty_type = ranks_before.difficulty_type
            and ranks_after.person_id = ranks_before.person_id
            and not ranks_before.is_after
    inner join children on ranks_after.person_id = children.person_id
    left join areas on children.area_code = areas.area_code
    where ranks_after.is_after
),

members as (
    -- each child once in every kind of group
    select
        *,
        unnest([
            { 'kind': 'all', 'label': '全体' },
            { 'kind': 'age_band', 'label': age_band },
            { 'kind': 'area', 'label': area_name }
        ]) as member_of
    from pairs
),

counted as (
    select
        model_version,
        difficulty_type,
        member_of['kind'] as group_kind,
        member_of['label'] as group_value,
        count(*) as people,
        count(*) filter (where direction > 0) as graver,
        count(*) filter (where direction < 0) as milder
    from members
    group by model_version, difficulty_type, member_of['kind'], member_of['label']
),

changes as (
    select
        *,
        unnest([
            { 'measure': 'tier_graver', 'part': graver },
            { 'measure': 'tier_milder', 'part': milder }
        ]) as change
    from counted
),

moves as (
    select
        model_version,
        difficulty_type,
        change['measure'] as measure,
        group_kind,
        group_value,
        change['part'] / people as measured,
        change['part'] as part,
        cast(null as double) as measured_before,
        people,
        people as people_before
    from changes
),

measures as (
    select * from stability
    union all
    select * from met_shares
    union all
    select * from tier_shares
    union all
    select * from completeness
    union all
    select * from moves
),

final as (
    select
        *,
        -- what is no share of children has no interval
        case when part is not null then people end as whole
    from measures
)

select
    {{ as_of() }} as as_of_on,
    final.model_version,
    final.difficulty_type,
    final.measure,
    final.group_kind,
    final.group_value,
    cast(final.measured as double) as measure_value,
    {{ wilson('final.part', 'final.whole', '-') }} as value_low,
    {{ wilson('final.part', 'final.whole', '+') }} as value_high,
    final.measured_before as previous_value,
    cast(final.people as bigint) as people,
    cast(final.people_before as bigint) as previous_people,
    populations.previous_as_of_on
from final
inner join populations
    on
        final.model_version = populations.model_version
        and final.difficulty_type = populations.difficulty_type
