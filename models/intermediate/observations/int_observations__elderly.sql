with atena as (
    select * from {{ ref('int_person__atena') }}
),

care_certifications as (
    select * from {{ ref('stg_elderly__care_certifications') }}
),

certifications as (
    select
        atena.person_id,
        'care_certifications' as source_id,
        care_certifications.valid_from as observed_on,
        care_certifications.valid_to as ended_on,
        case
            when care_certifications.care_level like '要介護%'
                then try_cast(right(care_certifications.care_level, 1) as integer)
            else 0
        end as care_level_no,
        care_certifications.*
    from care_certifications
    inner join atena on care_certifications.atena_no = atena.atena_no
),

final as (
    {{ observation('care_certification', 'certifications', value='care_level_no', text_value='care_level') }}
)

select * from final
