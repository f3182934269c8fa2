-- What came of decisions and support, over all as-of dates on record: numbers, and how far they reach.
-- Grain: one row per measure, group and second group.
with decisions as (
    select * from {{ ref('fct_decision') }}
),

supports as (
    select * from {{ ref('fct_support') }}
    where started_on is not null
),

-- Every as-of date that was run, not the present one only.
priorities as (
    select * from {{ ref('fct_support_priority') }}
),

contributions as (
    select * from {{ ref('fct_risk_contribution') }}
),

versions as (
    select * from {{ ref('risk_model_versions') }}
),

items as (
    select * from {{ ref('risk_items') }}
),

tiers as (
    select
        tier,
        max(tier_rank) as tier_rank,
        any_value(label_ja) as tier_label
    from {{ ref('risk_tiers') }}
    group by tier
),

persons as (
    select * from {{ ref('dim_person') }}
),

states as (
    select
        priorities.as_of_on,
        priorities.person_id,
        priorities.tier,
        tiers.tier_rank,
        tiers.tier_label,
        {{ age_band(months_between('persons.birth_on', 'priorities.as_of_on')) }} as age_band
    from priorities
    left join tiers on priorities.tier = tiers.tier
    left join persons on priorities.person_id = persons.person_id
),

-- Time from the first as-of date of the high or latent tier to the first support.
first_flags as (
    select
        person_id,
        min(as_of_on) as flagged_on
    from states
    where tier_rank >= 2
    group by person_id
),

first_supports as (
    select
        person_id,
        min(started_on) as started_on
    from supports
    group by person_id
),

waits as (
    select
        first_flags.person_id,
        first_supports.started_on - first_flags.flagged_on as days
    from first_flags
    inner join first_supports on first_flags.person_id = first_supports.person_id
    where first_supports.started_on >= first_flags.flagged_on
),

waiting as (
    select
        'days_to_support' as measure,
        'all' as group_code,
        '全体' as group_label,
        cast(null as varchar) as second_code,
        cast(null as varchar) as second_label,
        count(*) as people,
        cast(null as bigint) as hits,
        median(days) as measure_value,
        quantile_cont(days, 0.25) as value_low,
        quantile_cont(days, 0.75) as value_high
    from waits
    having count(*) > 0
),

-- Decisions against the tier that stood when the meeting met.
decided as (
    select
        decisions.decision_id,
        decisions.person_id,
        decisions.decision,
        decisions.agrees_with_tier,
        decisions.disagreement_item,
        max(states.as_of_on) as as_of_on,
        arg_max(states.tier, states.as_of_on) as tier,
        arg_max(states.tier_label, states.as_of_on) as tier_label
    from decisions
    inner join states
        on
            decisions.person_id = states.person_id
            and states.as_of_on <= coalesce(decisions.meeting_on, decisions.decided_on)
    group by all
),

decided_by_tier as (
    select
        'decision_by_tier' as measure,
        tier as group_code,
        tier_label as group_label,
        decision as second_code,
        {{ label_of('decision', 'decision', 'decision') }} as second_label,
        cast(sum(count(*)) over (partition by tier) as bigint) as people,
        count(*) as hits
    from decided
    group by tier, tier_label, decision
),

-- Of the children for whom an item counted, the share with whose tier the meeting did not agree.
decided_items as (
    select distinct
        decided.decision_id,
        contributions.item_code,
        decided.agrees_with_tier
    from decided
    inner join contributions
        on decided.person_id = contributions.person_id and decided.as_of_on = contributions.as_of_on
    inner join versions on contributions.model_version = versions.model_version and versions.status = 'active'
    where contributions.is_counted and contributions.coefficient <> 0 and contributions.item_code is not null
),

disagreed_by_item as (
    select
        'disagreement_by_item' as measure,
        decided_items.item_code as group_code,
        items.label_ja as group_label,
        cast(null as varchar) as second_code,
        cast(null as varchar) as second_label,
        count(*) as people,
        count(*) filter (where not decided_items.agrees_with_tier) as hits
    from decided_items
    -- What a cap cuts off is no item.
    inner join items on decided_items.item_code = items.item_code
    group by decided_items.item_code, items.label_ja
),

decision_total as (
    select count(*) as decision_count from decided
),

named_items as (
    select
        'item_named_in_disagreement' as measure,
        decided.disagreement_item as group_code,
        coalesce(items.label_ja, decided.disagreement_item) as group_label,
        cast(null as varchar) as second_code,
        cast(null as varchar) as second_label,
        any_value(decision_total.decision_count) as people,
        count(*) as hits
    from decided
    cross join decision_total
    left join items on decided.disagreement_item = items.item_code
    where decided.disagreement_item is not null
    group by decided.disagreement_item, items.label_ja
),

-- Tiers before and after: the last as-of date before the support began, and the last one on record.
before_after as (
    select
        first_supports.person_id,
        max(states.as_of_on) filter (where states.as_of_on <= first_supports.started_on) as before_on,
        max(states.as_of_on) filter (where states.as_of_on > first_supports.started_on) as after_on
    from first_supports
    inner join states on first_supports.person_id = states.person_id
    group by first_supports.person_id
),

supported as (
    select
        before_after.before_on,
        before_after.after_on,
        earlier.tier,
        earlier.tier_label,
        earlier.tier_rank,
        earlier.age_band,
        later.tier_rank as later_rank
    from before_after
    inner join states as earlier
        on before_after.person_id = earlier.person_id and before_after.before_on = earlier.as_of_on
    inner join states as later
        on before_after.person_id = later.person_id and before_after.after_on = later.as_of_on
),

compared_dates as (
    select distinct
        before_on,
        after_on,
        tier,
        age_band
    from supported
),

-- Children of the same tier and age on the same dates, of whom no support is on record; each once, on the first of them.
comparable as (
    select
        earlier.tier,
        earlier.tier_label,
        earlier.tier_rank,
        later.tier_rank as later_rank
    from compared_dates
    inner join states as earlier
        on
            compared_dates.before_on = earlier.as_of_on
            and compared_dates.tier = earlier.tier
            and compared_dates.age_band = earlier.age_band
    inner join states as later
        on earlier.person_id = later.person_id and compared_dates.after_on = later.as_of_on
    anti join supports on earlier.person_id = supports.person_id
    qualify
        row_number() over (
            partition by earlier.person_id, earlier.tier
            order by compared_dates.before_on asc, compared_dates.after_on asc
        ) = 1
),

changes as (
    select
        'supported' as second_code,
        '支援あり' as second_label,
        tier,
        tier_label,
        tier_rank,
        later_rank
    from supported
    union all
    select
        'comparable' as second_code,
        '支援の記録なし（同じ段階・年齢層）' as second_label,
        tier,
        tier_label,
        tier_rank,
        later_rank
    from comparable
),

improved as (
    select
        'tier_fell_after_support' as measure,
        tier as group_code,
        tier_label as group_label,
        second_code,
        second_label,
        count(*) as people,
        count(*) filter (where later_rank < tier_rank) as hits
    from changes
    group by tier, tier_label, second_code, second_label
),

shares as (
    select * from decided_by_tier
    union all by name
    select * from disagreed_by_item
    union all by name
    select * from named_items
    union all by name
    select * from improved
),

measured as (
    select
        *,
        hits / people as measure_value,
        {{ wilson('hits', 'people', '-') }} as value_low,
        {{ wilson('hits', 'people', '+') }} as value_high
    from shares
    union all by name
    select * from waiting
)

select
    measure,
    group_code,
    group_label,
    second_code,
    second_label,
    people,
    hits,
    cast(measure_value as decimal(12, 4)) as measure_value,
    cast(value_low as decimal(12, 4)) as value_low,
    cast(value_high as decimal(12, 4)) as value_high,
    {{ caution_of_effect('measure') }} as caution_ja
from measured
