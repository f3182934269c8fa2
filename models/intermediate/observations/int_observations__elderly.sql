with atena as (
    select * from {{ ref('int_person__atena') }}
),

care_certifications as (
    select * from {{ ref('stg_elderly__care_certifications') }}
),

final as (
    select
        atena.person_id,
        'care_certification' as observation_code,
        care_certifications.valid_from as observed_on,
        care_certifications.valid_to as ended_on,
        cast(
            case
                when care_certifications.care_level like '要介護%'
                    then try_cast(right(care_certifications.care_level, 1) as integer)
                else 0
            end as decimal(18, 4)
        ) as value,
        care_certifications.care_level as text_value,
        'care_certifications' as source_id,
        care_certifications.delivery_id,
        care_certifications.line_number
    from care_certifications
    inner join atena on care_certifications.atena_no = atena.atena_no
    where care_certifications.valid_from is not null
)

select * from final
