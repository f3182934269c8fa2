-- Support that a child got, what came of it, and the child's tier before and after: one row per support.
with

children as (
    {{ children_and_leavers() }}
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

states as (
    select
        supports.support_id,
        priorities.as_of_on,
        priorities.tier,
        priorities.as_of_on <= supports.started_on as is_before
    from supports
    inner join priorities on supports.person_id = priorities.person_id
),

-- The last as-of date before the support began, and the last one on record after it.
compared as (
    select
        support_id,
        max(as_of_on) filter (where is_before) as before_on,
        arg_max(tier, as_of_on) filter (where is_before) as tier_before,
        max(as_of_on) filter (where not is_before) as after_on,
        arg_max(tier, as_of_on) filter (where not is_before) as tier_after
    from states
    group by support_id
)

select
    {{ child_columns() }},
    children.is_dv_protected,
    children.tier,
    children.tier_label,
    children.difficulty_label,
    supports.support_id,
    supports.decision_id,
    supports.started_on,
    supports.ended_on,
    case
        when supports.ended_on <= children.as_of_on then '終了'
        when supports.started_on > children.as_of_on then '開始前'
        else '実施中'
    end as progress_label,
    supports.support_content,
    supports.lead_agency,
    coalesce(supports.outcome, '記録なし') as outcome_label,
    supports.entered_by,
    compared.before_on,
    coalesce(earlier.tier_label, '判定なし') as tier_before_label,
    coalesce(earlier.tier_rank, 0)::integer as tier_before_rank,
    compared.after_on,
    coalesce(later.tier_label, 'まだない') as tier_after_label,
    case
        when earlier.tier is null then '支援の前の判定なし'
        when later.tier is null then '支援の後の判定待ち'
        when later.tier_rank < earlier.tier_rank then '下がった'
        when later.tier_rank > earlier.tier_rank then '上がった'
        else '変わらない'
    end as change_label
from supports
inner join children on supports.person_id = children.person_id
left join compared on supports.support_id = compared.support_id
left join tiers as earlier on compared.tier_before = earlier.tier
left join tiers as later on compared.tier_after = later.tier
