with identities as (
    select * from {{ ref('int_person__identities') }}
),

social_council_services as (
    select * from {{ ref('stg_social_council__social_council_services') }}
),

services as (
    select
        identities.person_id,
        identities.source_id,
        social_council_services.used_on as observed_on,
        cast(null as date) as ended_on,
        social_council_services.*
    from social_council_services
    inner join identities
        on
            identities.source_id = 'social_council_services'
            and social_council_services.service_no = identities.source_key
),

final as (
    {{ observation('social_council_service', 'services', text_value='service_type') }}
    union all
    {{ observation(
        'food_bank', 'services',
        when="regexp_matches(service_type, 'フード|食料|食糧')",
        text_value='service_type'
    ) }}
    union all
    {{ observation(
        'social_council_loan', 'services',
        when="service_type like '%貸付%'",
        text_value='service_type'
    ) }}
)

select * from final
