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
    {{ observation('social_council_service', 'services', text_value='service_type_label') }}
    union all
    {{ observation(
        'food_bank', 'services',
        when=kind_means('service_type', 'social_service', 'is_food'),
        text_value='service_type_label'
    ) }}
    union all
    {{ observation(
        'social_council_loan', 'services',
        when=kind_means('service_type', 'social_service', 'is_loan'),
        text_value='service_type_label'
    ) }}
)

select * from final
