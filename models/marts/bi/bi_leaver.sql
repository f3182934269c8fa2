-- Children who left while something was open, until they are handed over and after. Grain: one row per person.
with

leavers as (
    select * from {{ ref('fct_leaver') }}
),

persons as (
    select * from {{ ref('dim_person') }}
),

-- Under what name and birth date earlier deliveries had who is in the register no more.
earlier_names as (
    select * from {{ ref('int_identity__register_versions') }}
    where version_no = 1
),

areas as (
    select * from {{ ref('areas') }}
),

departments as (
    select
        person_id,
        '|' || string_agg(department, '|' order by department) || '|' as departments
    from {{ ref('fct_leaver_department') }}
    group by person_id
),

kinds as (
    select * from {{ ref('leaver_kinds') }}
),

reason_labels as (
    select * from {{ ref('leaver_reasons') }}
),

reasons as (
    select
        leavers.person_id,
        string_agg(reason_labels.label_ja, '・' order by reason_labels.sort_order) as reasons_label
    from leavers
    inner join reason_labels on list_contains(string_split(leavers.reasons, '|'), reason_labels.reason)
    group by leavers.person_id
),

tier_labels as (
    select
        tier,
        any_value(label_ja) as tier_label,
        max(tier_rank) as tier_rank
    from {{ ref('risk_tiers') }}
    group by tier
),

named as (
    select
        leavers.*,
        coalesce(nullif(persons.display_name, ''), earlier_names.full_name) as display_name,
        coalesce(persons.kana, earlier_names.full_name_kana) as kana,
        coalesce(persons.birth_on, earlier_names.birth_on) as birth_on,
        persons.sex
    from leavers
    inner join persons on leavers.person_id = persons.person_id
    left join earlier_names on leavers.person_id = earlier_names.person_id
),

aged as (
    select
        *,
        {{ months_between('birth_on', 'as_of_on') }} as age_months
    from named
),

labelled as (
    select
        aged.person_id,
        aged.as_of_on,
        coalesce(nullif(aged.display_name, ''), '{{ var('nameless') }}') as display_name,
        aged.kana,
        aged.birth_on,
        aged.sex,
        false as is_unborn,
        aged.age_months::integer as age_months,
        case
            when aged.age_months < 24 then aged.age_months || 'か月'
            else coalesce(aged.age_months // 12 || '歳', '年齢不明')
        end as age_label,
        (aged.age_months // 12)::integer as age_years,
        {{ age_band('aged.age_months') }} as age_band,
        {{ age_band_order('aged.age_months') }} as age_band_order,
        aged.area_code,
        coalesce(areas.area_name_ja, '（地区不明）') as area_name,
        coalesce(areas.sort_order, 99) as area_order,
        '（在籍なし）' as school_name,
        aged.household_id,
        kinds.label_ja as support_status_label,
        coalesce(aged.tier, 'unscored') as tier,
        coalesce(tier_labels.tier_label, '未判定') as tier_label,
        coalesce(tier_labels.tier_rank, 0)::integer as tier_rank,
        '（判定の対象外）' as difficulty_label,
        aged.last_scored_on,
        aged.vertical_chains,
        aged.horizontal_chains,
        aged.kind,
        kinds.label_ja as kind_label,
        aged.left_on,
        aged.days_since,
        aged.moved_to,
        aged.reasons,
        reasons.reasons_label,
        aged.last_seen_on,
        aged.last_seen_kind || '（' || {{ department_label('aged.last_seen_by') }} || '）' as last_seen_by,
        aged.review_on,
        aged.handover_outcome,
        aged.handed_on,
        aged.handed_to,
        aged.received_on,
        aged.is_open,
        departments.departments,
        aged.is_dv_protected
    from aged
    left join areas on aged.area_code = areas.area_code
    left join departments on aged.person_id = departments.person_id
    left join kinds on aged.kind = kinds.kind
    left join reasons on aged.person_id = reasons.person_id
    left join tier_labels on aged.tier = tier_labels.tier
),

with_labels as (
    select
        *,
        display_name || coalesce('（' || {{ japanese_date('birth_on') }} || '生）', '') as label
    from labelled
)

select
    * exclude (label),
    case
        when count(*) over (partition by label) > 1 then label || ' ' || right(person_id, 4)
        else label
    end as child_label
from with_labels
