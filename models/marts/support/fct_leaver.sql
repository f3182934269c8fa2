-- Children who left while something was open, why they are on the list, and whether they were handed over.
-- Grain: one row per person.
with

leavings as (
    select * from {{ ref('int_child__leavings') }}
),

cases as (
    select * from {{ ref('int_child__leaver_cases') }}
),

families as (
    select * from {{ ref('int_child__leaver_families') }}
),

persons as (
    select * from {{ ref('int_person__persons') }}
),

known_ids as (
    select * from {{ ref('int_person__known_ids') }}
),

measures as (
    select * from {{ ref('int_person__support_measures') }}
),

sightings as (
    select * from {{ ref('fct_sighting') }}
    where is_latest
),

tier_ranks as (
    select
        tier,
        max(tier_rank) as tier_rank
    from {{ ref('risk_tiers') }}
    group by tier
),

reason_labels as (
    select * from {{ ref('leaver_reasons') }}
),

-- A child that was scored before its birth is the one that was born.
scored as (
    select
        known_ids.person_id,
        priorities.as_of_on,
        priorities.tier
    from {{ ref('fct_support_priority') }} as priorities
    inner join known_ids on priorities.person_id = known_ids.known_id
    where priorities.as_of_on <= {{ as_of() }}
),

last_scores as (
    select
        person_id,
        max(as_of_on) as last_scored_on,
        arg_max(tier, as_of_on) as tier
    from scored
    group by person_id
),

-- What was closed a year before the first determination is no matter of this list.
beginning as (
    select (coalesce(min(as_of_on), {{ as_of() }}) - interval 12 month)::date as begins_on
    from {{ ref('fct_support_priority') }}
),

chains as (
    select
        contributions.person_id,
        contributions.as_of_on,
        max(contributions.raw_value) filter (
            where items.observation_code = 'vertical'
        ) as vertical_chains,
        max(contributions.raw_value) filter (
            where items.observation_code = 'horizontal'
        ) as horizontal_chains
    from {{ ref('fct_risk_contribution') }} as contributions
    inner join {{ ref('risk_items') }} as items on contributions.item_code = items.item_code
    where items.kind = 'chain'
    group by contributions.person_id, contributions.as_of_on
),

decisions as (
    select
        known_ids.person_id,
        decisions.decision,
        coalesce(decisions.meeting_on, decisions.decided_on) as decided_on,
        decisions.review_on
    from {{ ref('fct_decision') }} as decisions
    inner join known_ids on decisions.person_id = known_ids.known_id
    qualify row_number() over (
        partition by known_ids.person_id
        order by
            coalesce(decisions.meeting_on, decisions.decided_on) desc,
            decisions.entered_at desc,
            decisions.decision_id desc
    ) = 1
),

supports as (
    select
        known_ids.person_id,
        supports.started_on,
        supports.ended_on
    from {{ ref('fct_support') }} as supports
    inner join known_ids on supports.person_id = known_ids.known_id
    where supports.started_on is not null
),

-- Of who has no row in the register any more, the area is that of those it lived with.
household_areas as (
    select
        families.person_id,
        max(housemates.area_code) as area_code
    from families
    inner join persons as housemates on families.relative_id = housemates.person_id
    where families.was_in_household
    group by families.person_id
    having count(distinct housemates.area_code) = 1
),

-- Who has no row in the register any more left after it was last determined or decided about.
dated as (
    select
        leavings.* exclude (left_on),
        coalesce(
            leavings.left_on,
            case
                when leavings.kind = 'unregistered'
                    then coalesce(last_scores.last_scored_on, decisions.decided_on)
            end
        ) as left_on
    from leavings
    left join last_scores on leavings.person_id = last_scores.person_id
    left join decisions on leavings.person_id = decisions.person_id
),

reasons as (
    select
        dated.person_id,
        cases.reason
    from dated
    inner join cases on dated.person_id = cases.person_id
    cross join beginning
    where
        dated.left_on is null
        or dated.left_on > beginning.begins_on
        or (cases.is_still_open and coalesce(dated.of_age_on > beginning.begins_on, true))
    union all
    select
        last_scores.person_id,
        'tier' as reason
    from last_scores
    inner join tier_ranks on last_scores.tier = tier_ranks.tier
    where tier_ranks.tier_rank >= 2
    union all
    select
        person_id,
        'decision' as reason
    from decisions
    where decision <> 'none'
    union all
    select distinct
        dated.person_id,
        'support' as reason
    from dated
    inner join supports on dated.person_id = supports.person_id
    where
        supports.ended_on is null
        or supports.ended_on < supports.started_on
        or coalesce(supports.ended_on >= dated.left_on, supports.ended_on > {{ as_of() }})
),

reasons_by_person as (
    select
        reasons.person_id,
        string_agg(reasons.reason, '|' order by reason_labels.sort_order) as reasons
    from reasons
    inner join reason_labels on reasons.reason = reason_labels.reason
    group by reasons.person_id
),

handovers as (
    select
        known_ids.person_id,
        handovers.outcome,
        handovers.handed_on,
        handovers.handed_to,
        handovers.received_on,
        handovers.department,
        greatest(handovers.left_on, handovers.handed_on) as covers_until_on
    from {{ ref('stg_child__recorded_handovers') }} as handovers
    inner join known_ids on handovers.subject_no = known_ids.known_id
    where handovers.handed_on <= {{ as_of() }}
),

-- A record of an earlier leaving does not close a later one, after a return.
last_handovers as (
    select handovers.*
    from handovers
    inner join dated on handovers.person_id = dated.person_id
    where coalesce(handovers.covers_until_on >= dated.left_on, true)
    qualify row_number() over (
        partition by handovers.person_id
        order by handovers.handed_on desc, handovers.covers_until_on desc, handovers.outcome asc
    ) = 1
),

members as (
    select person_id, person_id as member_id, left_on from dated
    union
    select
        families.person_id,
        families.relative_id as member_id,
        dated.left_on
    from families
    inner join dated on families.person_id = dated.person_id
),

-- The measure may have ended with the move, and go on elsewhere.
protected as (
    select distinct members.person_id
    from members
    inner join measures on members.member_id = measures.person_id
    where
        measures.is_in_force
        or coalesce(measures.measure_until >= coalesce(members.left_on, {{ as_of() }}) - 1, true)
)

select
    {{ as_of() }} as as_of_on,
    dated.person_id,
    dated.kind,
    dated.left_on,
    ({{ as_of() }} - dated.left_on)::integer as days_since,
    reasons_by_person.reasons,
    last_scores.last_scored_on,
    last_scores.tier,
    coalesce(chains.vertical_chains, 0)::integer as vertical_chains,
    coalesce(chains.horizontal_chains, 0)::integer as horizontal_chains,
    decisions.decision as last_decision,
    decisions.review_on,
    sightings.seen_on as last_seen_on,
    sightings.holder as last_seen_by,
    sightings.kind_label as last_seen_kind,
    coalesce(persons.area_code, household_areas.area_code) as area_code,
    dated.household_id,
    -- An address, and the office of another city, reveal where a family lives.
    case
        when not (persons.is_dv_protected or protected.person_id is not null) then persons.moved_to
    end as moved_to,
    last_handovers.outcome as handover_outcome,
    last_handovers.handed_on,
    case
        when not (persons.is_dv_protected or protected.person_id is not null) then last_handovers.handed_to
    end as handed_to,
    last_handovers.received_on,
    last_handovers.person_id is null as is_open,
    persons.is_dv_protected or protected.person_id is not null as is_dv_protected
from dated
inner join reasons_by_person on dated.person_id = reasons_by_person.person_id
inner join persons on dated.person_id = persons.person_id
left join last_scores on dated.person_id = last_scores.person_id
left join chains
    on dated.person_id = chains.person_id and last_scores.last_scored_on = chains.as_of_on
left join decisions on dated.person_id = decisions.person_id
left join sightings on dated.person_id = sightings.person_id
left join last_handovers on dated.person_id = last_handovers.person_id
left join protected on dated.person_id = protected.person_id
left join household_areas on dated.person_id = household_areas.person_id
