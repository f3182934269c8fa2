-- Cases, in the sense of the chains. Grain: one row per source row.
with

atena as (
    select * from {{ ref('int_person__atena') }}
),

identities as (
    select * from {{ ref('int_person__identities') }}
    where source_id = 'guidance_centre_cases'
),

council as (
    select
        atena.person_id,
        'council_cases' as case_source_id,
        cases.case_no as case_source_key,
        cases.registered_on as case_on,
        cases.delivery_id,
        cases.line_number
    from {{ ref('stg_child__council_cases') }} as cases
    inner join atena on cases.child_atena_no = atena.atena_no
),

guidance_centre as (
    select
        identities.person_id,
        'guidance_centre_cases' as case_source_id,
        cases.centre_case_no as case_source_key,
        cases.received_on as case_on,
        cases.delivery_id,
        cases.line_number
    from {{ ref('stg_guidance_centre__guidance_centre_cases') }} as cases
    inner join identities on cases.centre_case_no = identities.source_key
),

-- Only a consultation with a known abuse kind is a case.
consultations as (
    select
        atena.person_id,
        'child_consultations' as case_source_id,
        consultations.consultation_no as case_source_key,
        consultations.received_on as case_on,
        consultations.delivery_id,
        consultations.line_number
    from {{ ref('stg_child__child_consultations') }} as consultations
    inner join atena on consultations.child_atena_no = atena.atena_no
    where {{ names_kind('consultations.abuse_type', 'abuse_kind') }}
),

cases as (
    select * from council
    union all
    select * from guidance_centre
    union all
    select * from consultations
)

select * from cases
where case_on <= {{ as_of() }}
