-- The list of children: one row per subject on the as-of date, with what a meeting needs to choose whom to look at.
with

as_of as (
    select as_of_on from {{ source('run', 'run_parameters') }}
),

children as (
    select * from {{ ref('dim_child') }}
),

persons as (
    select * from {{ ref('dim_person') }}
),

protected_people as (
    select person_id, is_dv_protected from persons
),

-- A child is withheld as its household is: protection of the mother protects the child beside her.
protected_households as (
    select members.household_id
    from {{ ref('int_household__members_as_of') }} as members
    inner join protected_people on members.person_id = protected_people.person_id
    group by all
    having bool_or(protected_people.is_dv_protected)
),

areas as (
    select * from {{ ref('areas') }}
),

facilities as (
    select * from {{ ref('int_child__facilities') }}
),

departments as (
    select
        person_id,
        '|' || string_agg(department, '|' order by department) || '|' as departments
    from {{ ref('fct_child_department') }}
    group by all
),

dues as (
    select * from {{ ref('fct_meeting_due') }}
),

priorities as (
    select priorities.*
    from {{ ref('fct_support_priority') }} as priorities
    inner join as_of on priorities.as_of_on = as_of.as_of_on
),

tier_rows as (
    select
        scores.*,
        tiers.label_ja as tier_label,
        tiers.tier_rank,
        difficulties.label_ja as difficulty_label,
        difficulties.sort_order as difficulty_order
    from {{ ref('fct_risk_score') }} as scores
    inner join as_of on scores.as_of_on = as_of.as_of_on
    inner join {{ ref('risk_model_versions') }} as versions
        on scores.model_version = versions.model_version and versions.status = 'active'
    inner join {{ ref('risk_tiers') }} as tiers
        on
            scores.model_version = tiers.model_version
            and scores.difficulty_type = tiers.difficulty_type
            and scores.tier = tiers.tier
    inner join {{ ref('difficulty_types') }} as difficulties
        on scores.difficulty_type = difficulties.difficulty_type
),

-- The main difficulty is that of the gravest tier, then of the highest score.
main_difficulties as (
    select
        person_id,
        arg_max(difficulty_label, (tier_rank, score, -difficulty_order)) as difficulty_label,
        string_agg(difficulty_label || ' ' || tier_label, '／' order by difficulty_order) as tiers_text,
        bool_or(is_override) as has_override,
        min(completeness) as completeness
    from tier_rows
    group by all
),

tier_labels as (
    select tier, any_value(label_ja) as tier_label, max(tier_rank) as tier_rank
    from {{ ref('risk_tiers') }}
    group by all
),

chains as (
    select
        person_id,
        max(value) filter (where chain_type = 'vertical') as vertical_chains,
        max(value) filter (where chain_type = 'horizontal') as horizontal_chains
    from {{ ref('int_chain__values') }}
    group by all
),

contents as (
    select
        person_id,
        string_agg(distinct content_ja, '／' order by content_ja) as support_contents
    from {{ ref('fct_support_content') }}
    where as_of_on = {{ as_of() }}
    group by all
),

cases as (
    select person_id, min(observed_on) as case_opened_on
    from {{ ref('fct_observation') }}
    where
        source_id = 'council_cases'
        and coalesce(ended_on > {{ as_of() }}, true)
        and observed_on <= {{ as_of() }}
    group by all
),

decisions as (
    select * from {{ ref('fct_decision') }}
    where is_latest
),

barred_observations as (
    select observation_code
    from {{ ref('int_observations__barred') }}
    where purpose = 'bi'
),

known as (
    select
        known_by.person_id,
        bool_or(
            known_by.way in ('meeting_support', 'temporary_protection', 'guidance_measure')
        ) as is_supported,
        string_agg(
            known_by.way_label || '（' || known_by.holder_label || '、'
            || {{ japanese_date('known_by.known_on') }} || '）',
            '／' order by known_by.sort_order
        ) as known_by
    from {{ ref('fct_known_by') }} as known_by
    anti join barred_observations on known_by.observation_code = barred_observations.observation_code
    group by all
),

sightings as (
    select sightings.*
    from {{ ref('fct_sighting') }} as sightings
    anti join barred_observations on sightings.observation_code = barred_observations.observation_code
    where sightings.is_latest
),

-- Its is_overdue has another name here: below, the word is of an expected birth.
sighting_dues as (
    select
        person_id,
        limit_days,
        seen_by_on,
        is_overdue as is_unseen_too_long
    from {{ ref('fct_sighting_due') }}
),

joined as (
    select
        children.person_id,
        as_of.as_of_on,
        {{ child_name() }} as display_name,
        persons.kana,
        children.birth_on,
        children.due_on as expected_birth_on,
        mothers.display_name as mother_name,
        coalesce(persons.sex, '不明') as sex,
        children.is_unborn,
        children.is_unborn
        and coalesce(children.due_on + {{ var('overdue_days') }} < as_of.as_of_on, false) as is_overdue,
        children.age_months,
        case
            when is_overdue then '出生前（予定日超過）'
            when children.is_unborn then '出生前'
            when children.age_months < 24 then children.age_months || 'か月'
            else children.age_months // 12 || '歳'
        end as age_label,
        case when children.is_unborn then -1 else children.age_months // 12 end::integer as age_years,
        {{ age_band('children.age_months') }} as age_band,
        {{ age_band_order('children.age_months') }} as age_band_order,
        children.area_code,
        coalesce(areas.area_name_ja, '（地区不明）') as area_name,
        coalesce(areas.sort_order, 99) as area_order,
        coalesce(facilities.facility_name, '（在籍なし）') as school_name,
        children.household_id,
        coalesce(priorities.tier, 'unscored') as tier,
        coalesce(tier_labels.tier_label, '未判定') as tier_label,
        coalesce(tier_labels.tier_rank, 0) as tier_rank,
        coalesce(main_difficulties.difficulty_label, '未判定') as difficulty_label,
        coalesce(main_difficulties.tiers_text, '未判定') as tiers_text,
        coalesce(main_difficulties.has_override, false) as has_override,
        priorities.total_score,
        main_difficulties.completeness,
        coalesce(priorities.priority_class, '—') as priority_class,
        priorities.priority_rank,
        priorities.due_days,
        coalesce(dues.due_on, as_of.as_of_on + priorities.due_days::integer) as due_on,
        coalesce(chains.vertical_chains, 0)::integer as vertical_chains,
        coalesce(chains.horizontal_chains, 0)::integer as horizontal_chains,
        coalesce(contents.support_contents, '地区の取組') as support_contents,
        children.is_known_to_services,
        case when children.is_known_to_services then '把握' else '未把握' end as known_label,
        known.known_by,
        case
            when cases.case_opened_on is not null then '要対協で支援中'
            when known.is_supported then '支援中'
            when children.is_known_to_services then '相談あり'
            else '支援なし'
        end as support_status_label,
        cases.case_opened_on,
        decisions.review_on,
        children.is_known_to_services is false and coalesce(tier_labels.tier_rank, 0) >= 2 as is_unknown_risk,
        sightings.seen_on as last_seen_on,
        sightings.kind_label || '（' || {{ department_label('sightings.holder') }} || '）' as last_seen_by,
        sighting_dues.limit_days as sighting_limit_days,
        sighting_dues.seen_by_on,
        coalesce(sighting_dues.is_unseen_too_long, false) as is_sighting_overdue,
        departments.departments,
        coalesce(children.is_dv_protected, false) or coalesce(persons.is_dv_protected, false)
        or protected_households.household_id is not null as is_dv_protected
    from children
    cross join as_of
    left join persons on children.person_id = persons.person_id
    left join persons as mothers on children.mother_id = mothers.person_id
    left join protected_households on children.household_id = protected_households.household_id
    left join areas on children.area_code = areas.area_code
    left join facilities on children.person_id = facilities.person_id
    left join departments on children.person_id = departments.person_id
    left join priorities on children.person_id = priorities.person_id
    left join dues on children.person_id = dues.person_id
    left join tier_labels on priorities.tier = tier_labels.tier
    left join main_difficulties on children.person_id = main_difficulties.person_id
    left join chains on children.person_id = chains.person_id
    left join contents on children.person_id = contents.person_id
    left join cases on children.person_id = cases.person_id
    left join decisions on children.person_id = decisions.person_id
    left join known on children.person_id = known.person_id
    left join sightings on children.person_id = sightings.person_id
    left join sighting_dues on children.person_id = sighting_dues.person_id
),

labelled as (
    select
        * exclude (mother_name),
        -- How a person picks the child in a filter: two children of one name differ by birth date, and a child
        -- before birth is known by its mother.
        case
            when is_unborn
                then
                    '（出生前）母 ' || coalesce(mother_name, '不明')
                    || coalesce('（' || {{ japanese_date('expected_birth_on') }} || '予定）', '')
            else display_name || coalesce('（' || {{ japanese_date('birth_on') }} || '生）', '')
        end as label
    from joined
)

select
    * exclude (label),
    case
        when count(*) over (partition by label) > 1 then label || ' ' || right(person_id, 4)
        else label
    end as child_label
from labelled
