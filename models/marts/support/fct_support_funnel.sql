-- How far children came who were found in a quarter, by what found them: the score alone, or the way in which a
-- service came to know them. Quarters since the first batch on record; before it, no score could find anybody.
-- Grain: one row per quarter, way and stage.
with priorities as (
    select * from {{ ref('fct_support_priority') }}
),

tiers as (
    select
        tier,
        max(tier_rank) as tier_rank
    from {{ ref('risk_tiers') }}
    group by tier
),

known_facts as (
    select * from {{ ref('int_child__known_facts') }}
),

ways as (
    select * from {{ ref('known_ways') }}
),

decisions as (
    select * from {{ ref('fct_decision') }}
),

supports as (
    select * from {{ ref('fct_support') }}
    where started_on is not null
),

states as (
    select
        priorities.person_id,
        priorities.as_of_on,
        tiers.tier_rank
    from priorities
    left join tiers on priorities.tier = tiers.tier
),

first_batch as (
    select min(as_of_on) as as_of_on from states
),

flagged as (
    select
        person_id,
        min(as_of_on) as identified_on
    from states
    where tier_rank >= 2
    group by person_id
),

-- A support that the meeting recorded follows from a finding, and is none.
known as (
    select
        known_facts.person_id,
        min(known_facts.began_on) as identified_on,
        arg_min(known_facts.way, (known_facts.began_on, ways.sort_order)) as way
    from known_facts
    inner join ways on known_facts.way = ways.way
    where ways.observation_code is not null
    group by known_facts.person_id
),

identified as (
    select
        coalesce(flagged.person_id, known.person_id) as person_id,
        -- On the same day, the service knew before the batch ran.
        if(
            known.identified_on <= flagged.identified_on or flagged.person_id is null, known.way, 'score'
        ) as way,
        least(known.identified_on, flagged.identified_on) as identified_on
    from flagged
    full join known on flagged.person_id = known.person_id
),

identified_since as (
    select identified.*
    from identified
    inner join first_batch on identified.identified_on >= date_trunc('quarter', first_batch.as_of_on)
),

looked_at as (
    select
        identified_since.person_id,
        min(coalesce(decisions.meeting_on, decisions.decided_on)) as reached_on,
        min(coalesce(decisions.meeting_on, decisions.decided_on)) filter (
            where decisions.decision = 'support'
        ) as confirmed_on
    from identified_since
    inner join decisions
        on
            identified_since.person_id = decisions.person_id
            and coalesce(decisions.meeting_on, decisions.decided_on) >= identified_since.identified_on
    group by identified_since.person_id
),

began as (
    select
        identified_since.person_id,
        min(supports.started_on) as reached_on
    from identified_since
    inner join supports
        on
            identified_since.person_id = supports.person_id
            and identified_since.identified_on <= supports.started_on
    group by identified_since.person_id
),

before_support as (
    select
        began.person_id,
        began.reached_on as started_on,
        arg_max(states.tier_rank, states.as_of_on) as tier_rank
    from began
    inner join states on began.person_id = states.person_id and began.reached_on >= states.as_of_on
    group by began.person_id, began.reached_on
),

fell as (
    select
        before_support.person_id,
        min(states.as_of_on) as reached_on
    from before_support
    inner join states
        on
            before_support.person_id = states.person_id
            and before_support.started_on < states.as_of_on
            and before_support.tier_rank > states.tier_rank
    group by before_support.person_id
),

-- Who came to a stage has been through those before it, whether or not each was recorded.
reached as (
    select
        identified_since.person_id,
        identified_since.way,
        date_trunc('quarter', identified_since.identified_on) as identified_quarter,
        identified_since.identified_on,
        unnest([
            { 'stage': 'identified', 'stage_no': 1, 'reached_on': identified_since.identified_on },
            {
                'stage': 'looked_at',
                'stage_no': 2,
                'reached_on': least(looked_at.reached_on, began.reached_on, fell.reached_on)
            },
            {
                'stage': 'confirmed',
                'stage_no': 3,
                'reached_on': least(looked_at.confirmed_on, began.reached_on, fell.reached_on)
            },
            {
                'stage': 'support_began',
                'stage_no': 4,
                'reached_on': least(began.reached_on, fell.reached_on)
            },
            { 'stage': 'tier_fell', 'stage_no': 5, 'reached_on': fell.reached_on }
        ]) as step
    from identified_since
    left join looked_at on identified_since.person_id = looked_at.person_id
    left join began on identified_since.person_id = began.person_id
    left join fell on identified_since.person_id = fell.person_id
),

counted as (
    select
        identified_quarter,
        way,
        step['stage'] as stage,
        step['stage_no'] as stage_no,
        count(*) as identified_children,
        count(step['reached_on']) as children,
        median(step['reached_on'] - identified_on) as median_days
    from reached
    group by all
)

select
    cast(identified_quarter as date) as identified_quarter,
    way,
    stage,
    stage_no,
    identified_children,
    children,
    cast(children / identified_children as decimal(12, 4)) as share,
    cast({{ wilson('children', 'identified_children', '-') }} as decimal(12, 4)) as share_low,
    cast({{ wilson('children', 'identified_children', '+') }} as decimal(12, 4)) as share_high,
    cast(median_days as integer) as median_days
from counted
