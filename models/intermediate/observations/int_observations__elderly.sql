with atena as (
    select * from {{ ref('int_person__atena') }}
),

care_certifications as (
    select * from {{ ref('stg_elderly__care_certifications') }}
),

care_levels as (
    select
        code,
        number as care_level_no
    from {{ ref('code_meanings') }}
    where code_list = 'care_level' and meaning = 'care_level_no'
),

certifications as (
    select
        atena.person_id,
        'care_certifications' as source_id,
        care_certifications.valid_from as observed_on,
        care_certifications.valid_to as ended_on,
        care_levels.care_level_no,
        care_certifications.*
    from care_certifications
    inner join atena on care_certifications.atena_no = atena.atena_no
    left join care_levels on care_certifications.care_level = care_levels.code
),

final as (
    {{ observation(
        'care_certification', 'certifications',
        when=names_kind('care_level', 'care_level'),
        value='care_level_no',
        text_value='care_level_label'
    ) }}
)

select * from final
