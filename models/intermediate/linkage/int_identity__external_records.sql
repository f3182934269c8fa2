-- People as the holders without 宛名番号 describe them. Grain: one row per source and key (the last delivered line).
with

school as (
    select
        'school_enrolment' as source_id,
        school_person_no as source_key,
        full_name,
        full_name_as_delivered,
        full_name_match,
        full_name_kana,
        full_name_kana_match,
        birth_on,
        sex_code,
        address_match,
        guardian_name_match,
        enrolled_on as known_on,
        atena_no,
        delivery_id,
        line_number
    from {{ ref('stg_education__school_enrolment') }}
),

guidance_centre as (
    select
        'guidance_centre_cases' as source_id,
        centre_case_no as source_key,
        full_name,
        full_name_as_delivered,
        full_name_match,
        full_name_kana,
        full_name_kana_match,
        birth_on,
        sex_code,
        address_match,
        guardian_name_match,
        received_on as known_on,
        null::varchar as atena_no,
        delivery_id,
        line_number
    from {{ ref('stg_guidance_centre__guidance_centre_cases') }}
),

social_council as (
    select
        'social_council_services' as source_id,
        service_no as source_key,
        full_name,
        full_name_as_delivered,
        full_name_match,
        full_name_kana,
        full_name_kana_match,
        birth_on,
        sex_code,
        address_match,
        null::varchar as guardian_name_match,
        used_on as known_on,
        null::varchar as atena_no,
        delivery_id,
        line_number
    from {{ ref('stg_social_council__social_council_services') }}
),

records as (
    select * from school
    union all
    select * from guidance_centre
    union all
    select * from social_council
)

select
    source_id,
    source_key,
    full_name,
    full_name_as_delivered,
    full_name_match,
    full_name_kana,
    full_name_kana_match,
    birth_on,
    case sex_code when '1' then '男' when '2' then '女' else '不明' end as sex,
    address_match,
    guardian_name_match,
    known_on,
    {{ months_between('known_on', as_of()) }} // 12 as known_years_ago,
    -- What the link was decided on: a record that changes is looked at again.
    md5(concat_ws(
        '|',
        coalesce(full_name_match, ''),
        coalesce(full_name_kana_match, ''),
        coalesce(birth_on::varchar, ''),
        coalesce(sex_code, ''),
        coalesce(address_match, ''),
        coalesce(guardian_name_match, '')
    )) as record_hash,
    atena_no,
    delivery_id,
    line_number
from records
where source_key is not null
qualify row_number() over (
    partition by source_id, source_key order by known_on desc, delivery_id desc, line_number desc
) = 1
