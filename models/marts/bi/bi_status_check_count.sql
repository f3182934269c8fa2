-- The yearly return of the check: each child once. One row per list, area, criterion, standing and result, and per what
-- decides who may count them (departments, protection).
with

results as (
    select * from {{ ref('fct_status_check_result') }}
    where is_main
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

people as (
    select
        results.person_id,
        arg_max(results.area_code, results.list_on) as area_code,
        arg_max(criteria.department, (results.list_on, -criteria.sort_order)) as department
    from results
    inner join criteria on results.criterion = criteria.criterion
    group by results.person_id
),

subjects as (
    {{ followed_children('people') }}
)

select
    results.list_kind,
    results.list_on,
    subjects.area_code,
    subjects.area_name,
    subjects.area_order,
    subjects.departments,
    subjects.is_dv_protected,
    results.criterion,
    criteria.label_ja as criterion_label,
    criteria.sort_order as criterion_order,
    standings.group_ja as standing_group,
    results.standing,
    standings.label_ja as standing_label,
    standings.sort_order as standing_order,
    results.result,
    coalesce(
        result_labels.label_ja, case when results.standing = 'candidate' then '未着手' end
    ) as result_label,
    results.is_open,
    count(*)::integer as children
from results
inner join subjects on results.person_id = subjects.person_id
inner join criteria on results.criterion = criteria.criterion
inner join standings on results.standing = standings.standing
left join result_labels on results.result = result_labels.code
group by all
