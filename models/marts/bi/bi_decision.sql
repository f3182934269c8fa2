-- What the meeting decided about a child, and what became of it: one row per decision.
with

children as (
    select * from {{ ref('bi_child') }}
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

ordered as (
    select
        *,
        coalesce(meeting_on, decided_on) as meeting_day,
        row_number() over (
            partition by person_id
            order by coalesce(meeting_on, decided_on) desc, entered_at desc, decision_id desc
        ) = 1 as is_latest
    from decisions
)

select
    {{ child_columns() }},
    children.is_dv_protected,
    children.tier,
    children.tier_label,
    children.difficulty_label,
    ordered.decision_id,
    ordered.meeting_day as meeting_on,
    ordered.decision,
    case ordered.decision
        when 'support' then '支援が必要'
        when 'watch' then '見守り'
        when 'none' then '不要'
        else ordered.decision
    end as decision_label,
    case
        when ordered.agrees_with_tier then '同意'
        when ordered.agrees_with_tier is false then '不同意'
        else '記録なし'
    end as agreement_label,
    ordered.disagreement_reason,
    ordered.support_content,
    ordered.lead_agency,
    ordered.review_on,
    case
        when not ordered.is_latest then '次の決定あり'
        when ordered.review_on is null then '見直しの予定なし'
        when ordered.review_on < children.as_of_on then '見直しの日を過ぎた'
        else '見直し待ち'
    end as review_label,
    ordered.decided_by,
    ordered.is_latest,
    tiers_then.tier as tier_then,
    coalesce(tiers.tier_label, '未判定') as tier_then_label,
    coalesce(tiers.tier_rank, 0)::integer as tier_then_rank,
    first_supports.started_on as first_support_on,
    (first_supports.started_on - ordered.meeting_day)::integer as days_to_support
from ordered
inner join children on ordered.person_id = children.person_id
left join tiers_then on ordered.decision_id = tiers_then.decision_id
left join tiers on tiers_then.tier = tiers.tier
left join first_supports on ordered.decision_id = first_supports.decision_id
