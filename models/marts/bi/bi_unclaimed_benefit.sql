-- Which families may have a benefit to claim, for the department that tells them, and what came of it; who was left out,
-- and why. Grain: one row per child and benefit.
with

unclaimed as (
    select * from {{ ref('fct_unclaimed_benefit') }}
),

rules as (
    select * from {{ ref('unclaimed_rules') }}
),

standings as (
    select * from {{ ref('unclaimed_standings') }}
),

benefit_labels as (
    select * from {{ ref('code_lists') }}
    where code_list = 'benefit'
),

result_labels as (
    select * from {{ ref('code_lists') }}
    where code_list = 'benefit_check_result'
),

-- The newest record of a child and benefit.
records as (
    select * from {{ ref('int_child__benefit_checks') }}
    where checked_on > {{ as_of() }} - to_months({{ var('benefit_check_months') }})
    qualify row_number() over (
        partition by person_id, benefit
        order by checked_on desc, is_open asc, delivery_id desc, line_number desc
    ) = 1
),

children as (
    select * from {{ ref('bi_child') }}
)

select
    {{ child_columns() }},
    children.is_dv_protected,
    true as is_child_now,
    unclaimed.department as holder,
    {{ department_label('unclaimed.department') }} as informing_department,
    unclaimed.benefit,
    benefit_labels.label_ja as benefit_label,
    rules.sort_order as benefit_order,
    rules.condition_ja as condition_label,
    unclaimed.since_on,
    rules.legal_basis_ja as legal_basis,
    unclaimed.certainty,
    rules.caution_ja as caution,
    unclaimed.standing,
    standings.label_ja as standing_label,
    standings.reason_ja as standing_reason,
    unclaimed.standing in ('candidate', 'checked') as is_candidate,
    (unclaimed.as_of_on - to_months({{ var('benefit_check_months') }}))::date as counts_after_on,
    case when unclaimed.standing in ('candidate', 'checked') then records.result end as result,
    result_labels.label_ja as result_label,
    case when unclaimed.standing in ('candidate', 'checked') then records.checked_on end as result_on,
    unclaimed.standing = 'candidate' as is_open
from unclaimed
inner join children on unclaimed.person_id = children.person_id
inner join rules on unclaimed.benefit = rules.benefit
inner join standings on unclaimed.standing = standings.standing
left join benefit_labels on unclaimed.benefit = benefit_labels.code
left join records
    on unclaimed.person_id = records.person_id and unclaimed.benefit = records.benefit
left join result_labels on records.result = result_labels.code
