-- The lists of the yearly check: who has to be looked for and what came of it, and who was left out and why.
-- Grain: one row per list, child and criterion.
with

results as (
    select * from {{ ref('fct_status_check_result') }}
),

criteria as (
    select * from {{ ref('status_check_criteria') }}
),

standings as (
    select * from {{ ref('status_check_standings') }}
),

result_labels as (
    select * from {{ ref('code_lists') }}
    where code_list = 'status_check_result'
),

children as (
    select * from {{ ref('bi_child') }}
),

persons as (
    select * from {{ ref('dim_person') }}
),

once_protected as (
    select * from {{ ref('int_child__once_protected') }}
),

areas as (
    select * from {{ ref('areas') }}
),

shown as (
    select
        results.*,
        criteria.label_ja as criterion_label,
        criteria.department,
        criteria.legal_basis_ja as legal_basis,
        criteria.sort_order as criterion_order,
        standings.label_ja as standing_label,
        standings.reason_ja as standing_reason
    from results
    inner join criteria on results.criterion = criteria.criterion
    inner join standings on results.standing = standings.standing
    where results.standing not in ('as_expected', 'not_due')
),

people as (
    select
        person_id,
        arg_max(area_code, list_on) as area_code,
        arg_max(department, (list_on, -criterion_order)) as department
    from shown
    group by person_id
),

subjects as (
    {{ followed_children('people') }}
)

select
    {{ child_columns('subjects') }},
    subjects.is_dv_protected,
    subjects.is_child_now,
    shown.list_kind,
    shown.list_on,
    shown.counts_until_on,
    shown.criterion,
    shown.criterion_label,
    shown.criterion_order,
    shown.legal_basis,
    {{ department_label('shown.department') }} as looked_for_by,
    shown.expected_label,
    shown.seen_within_months,
    shown.standing,
    shown.standing_label,
    shown.standing_reason,
    shown.standing = 'candidate' as is_candidate,
    shown.is_main,
    shown.last_seen_on,
    shown.last_seen_kind || '（' || {{ department_label('shown.last_seen_by') }} || '）' as last_seen_by,
    shown.result,
    coalesce(result_labels.label_ja, case when shown.standing = 'candidate' then '未着手' end) as result_label,
    shown.result_on,
    shown.is_recorded,
    shown.is_open
from shown
inner join subjects on shown.person_id = subjects.person_id
left join result_labels on shown.result = result_labels.code
