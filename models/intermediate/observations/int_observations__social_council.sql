with identities as (
    select * from {{ ref('int_person__identities') }}
),

social_council_services as (
    select * from {{ ref('stg_social_council__social_council_services') }}
),

final as (
    select
        identities.person_id,
        'social_council_service' as observation_code,
        social_council_services.used_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        social_council_services.service_type as text_value,
        'social_council_services' as source_id,
        social_council_services.delivery_id,
        social_council_services.line_number
    from social_council_services
    inner join identities
        on
            identities.source_id = 'social_council_services'
            and social_council_services.service_no = identities.source_key
    where social_council_services.used_on is not null
    union all
    select
        identities.person_id,
        'food_bank' as observation_code,
        social_council_services.used_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        social_council_services.service_type as text_value,
        'social_council_services' as source_id,
        social_council_services.delivery_id,
        social_council_services.line_number
    from social_council_services
    inner join identities
        on
            identities.source_id = 'social_council_services'
            and social_council_services.service_no = identities.source_key
    where
        regexp_matches(social_council_services.service_type, 'フード|食料|食糧')
        and social_council_services.used_on is not null
    union all
    select
        identities.person_id,
        'social_council_loan' as observation_code,
        social_council_services.used_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        social_council_services.service_type as text_value,
        'social_council_services' as source_id,
        social_council_services.delivery_id,
        social_council_services.line_number
    from social_council_services
    inner join identities
        on
            identities.source_id = 'social_council_services'
            and social_council_services.service_no = identities.source_key
    where social_council_services.service_type like '%貸付%' and social_council_services.used_on is not null
)

select * from final
