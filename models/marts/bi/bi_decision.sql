-- What the meeting decided about a child, and what became of it: one row per decision.
with

children as (
    {{ children_and_leavers() }}
),

decisions as (
    select * from {{ ref('fct_decision') }}
),

supports as (
    select * from {{ ref('fct_support') }}
),

priorities as (
    select * from {{ ref('fct_support_priority') }}
),

tiers as (
    select
        tier,
        any_value(label_ja) as tier_label,
        max(tier_rank) as tier_rank
    from {{ ref('risk_tiers') }}
    group by tier
),

-- The tier that lay before the meeting.
tiers_then as (
    select
        decisions.decision_id,
        arg_max(priorities.tier, priorities.as_of_on) as tier
    from decisions
    inner join priorities
        on
            decisions.person_id = priorities.person_id
            and priorities.as_of_on <= coalesce(decisions.meeting_on, decisions.decided_on)
    group by decisions.decision_id
),

first_supports as (
    select
        decision_id,
        min(started_on) as started_on
    from supports
    where decision_id is not null
    group by decision_id
),

dated as (
    select
        *,
        coalesce(meeting_on, decided_on) as meeting_day
    from decisions
)

select
    {{ child_columns() }},
    children.is_dv_protected,
    children.tier,
    children.tier_label,
    children.difficulty_label,
    dated.decision_id,
    dated.meeting_day as meeting_on,
    dated.decision,
    {{ label_of('decision', 'dated.decision', 'dated.decision') }} as decision_label,
    case
        when dated.agrees_with_tier then '同意'
        when dated.agrees_with_tier is false then '不同意'
        else '記録なし'
    end as agreement_label,
    dated.disagreement_reason,
    dated.support_content,
    dated.lead_agency,
    dated.review_on,
    case
        when not dated.is_latest then '次の決定あり'
        when dated.review_on is null then '見直しの予定なし'
        when dated.review_on < children.as_of_on then '見直しの日を過ぎた'
        else '見直し待ち'
    end as review_label,
    dated.decided_by,
    dated.is_latest,
    tiers_then.tier as tier_then,
    coalesce(tiers.tier_label, '未判定') as tier_then_label,
    coalesce(tiers.tier_rank, 0)::integer as tier_then_rank,
    first_supports.started_on as first_support_on,
    (first_supports.started_on - dated.meeting_day)::integer as days_to_support
from dated
inner join children on dated.person_id = children.person_id
left join tiers_then on dated.decision_id = tiers_then.decision_id
left join tiers on tiers_then.tier = tiers.tier
left join first_supports on dated.decision_id = first_supports.decision_id
