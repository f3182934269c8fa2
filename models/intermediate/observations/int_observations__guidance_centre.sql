with identities as (
    select * from {{ ref('int_person__identities') }}
),

guidance_centre_cases as (
    select * from {{ ref('stg_guidance_centre__guidance_centre_cases') }}
),

cases as (
    select
        identities.person_id,
        identities.source_id,
        guidance_centre_cases.received_on as observed_on,
        cast(null as date) as ended_on,
        guidance_centre_cases.*
    from guidance_centre_cases
    inner join identities
        on
            identities.source_id = 'guidance_centre_cases'
            and guidance_centre_cases.centre_case_no = identities.source_key
),

final as (
    {{ observation('guidance_case', 'cases', text_value='consultation_type_label') }}
    union all
    {{ observation(
        'guidance_abuse', 'cases',
        when=names_kind('abuse_type', 'abuse_kind'),
        text_value='abuse_type_label'
    ) }}
    union all
    {{ observation(
        'temporary_protection', 'cases',
        observed_on='protection_started_on',
        ended_on='protection_ended_on'
    ) }}
    union all
    {{ observation(
        'guidance_measure', 'cases',
        when=names_kind('measure', 'guidance_measure'),
        text_value='measure_label'
    ) }}
)

select * from final
