with identities as (
    select * from {{ ref('int_person__identities') }}
),

guidance_centre_cases as (
    select * from {{ ref('stg_guidance_centre__guidance_centre_cases') }}
),

final as (
    select
        identities.person_id,
        'guidance_case' as observation_code,
        guidance_centre_cases.received_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        guidance_centre_cases.consultation_type as text_value,
        'guidance_centre_cases' as source_id,
        guidance_centre_cases.delivery_id,
        guidance_centre_cases.line_number
    from guidance_centre_cases
    inner join identities
        on
            identities.source_id = 'guidance_centre_cases'
            and guidance_centre_cases.centre_case_no = identities.source_key
    where guidance_centre_cases.received_on is not null
    union all
    select
        identities.person_id,
        'guidance_abuse' as observation_code,
        guidance_centre_cases.received_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        guidance_centre_cases.abuse_type as text_value,
        'guidance_centre_cases' as source_id,
        guidance_centre_cases.delivery_id,
        guidance_centre_cases.line_number
    from guidance_centre_cases
    inner join identities
        on
            identities.source_id = 'guidance_centre_cases'
            and guidance_centre_cases.centre_case_no = identities.source_key
    where guidance_centre_cases.abuse_type is not null and guidance_centre_cases.received_on is not null
    union all
    select
        identities.person_id,
        'temporary_protection' as observation_code,
        guidance_centre_cases.protection_started_on as observed_on,
        guidance_centre_cases.protection_ended_on as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'guidance_centre_cases' as source_id,
        guidance_centre_cases.delivery_id,
        guidance_centre_cases.line_number
    from guidance_centre_cases
    inner join identities
        on
            identities.source_id = 'guidance_centre_cases'
            and guidance_centre_cases.centre_case_no = identities.source_key
    where guidance_centre_cases.protection_started_on is not null
    union all
    select
        identities.person_id,
        'guidance_measure' as observation_code,
        guidance_centre_cases.received_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        guidance_centre_cases.measure as text_value,
        'guidance_centre_cases' as source_id,
        guidance_centre_cases.delivery_id,
        guidance_centre_cases.line_number
    from guidance_centre_cases
    inner join identities
        on
            identities.source_id = 'guidance_centre_cases'
            and guidance_centre_cases.centre_case_no = identities.source_key
    where guidance_centre_cases.measure is not null and guidance_centre_cases.received_on is not null
)

select * from final
