-- Each scored child once in every kind of group by which versions are compared.
with scored as (
    select * from {{ ref('int_evaluation__scored_cohort') }}
),

areas as (
    select * from {{ ref('areas') }}
),

protected_people as (
    select * from {{ ref('int_person__protected') }}
),

members as (
    select
        scored.*,
        unnest([
            { 'kind': 'all', 'label': '全体' },
            { 'kind': 'sex', 'label': scored.sex },
            { 'kind': 'age_band', 'label': scored.age_band },
            {
                'kind': 'area',
                -- A number by area must not show where a protected person lives.
                'label': if(protected_people.person_id is null, coalesce(areas.area_name_ja, '不明'), '不明')
            },
            { 'kind': 'nationality', 'label': if(scored.is_foreign, '外国人住民', '日本人住民') },
            { 'kind': 'single_parent', 'label': if(scored.is_single_parent, 'ひとり親', 'ひとり親でない') },
            { 'kind': 'public_assistance', 'label': if(scored.has_public_assistance, '受給', '受給なし') },
            { 'kind': 'disability', 'label': if(scored.has_disability, '手帳あり', '手帳なし') },
            { 'kind': 'tier', 'label': coalesce(scored.tier, '区分なし') },
            { 'kind': 'score_band', 'label': cast(floor(scored.score / 2) * 2 as integer) || '〜' }
        ]) as member_of
    from scored
    left join areas on scored.area_code = areas.area_code
    left join protected_people on scored.person_id = protected_people.person_id
)

select
    model_version,
    difficulty_type,
    person_id,
    member_of['kind'] as group_kind,
    member_of['label'] as group_value,
    became_case,
    is_flagged,
    score_rank,
    completeness
from members
