with atena as (
    select * from {{ ref('int_person__atena') }}
),

public_assistance as (
    select * from {{ ref('stg_welfare__public_assistance') }}
),

disability_certificates as (
    select * from {{ ref('stg_welfare__disability_certificates') }}
),

livelihood_consultations as (
    select * from {{ ref('stg_welfare__livelihood_consultations') }}
),

assistances as (
    select
        atena.person_id,
        'public_assistance' as source_id,
        public_assistance.started_on as observed_on,
        coalesce(public_assistance.ended_on, public_assistance.suspended_on) as ended_on,
        public_assistance.assistance_scope_label,
        public_assistance.ended_on as abolished_on,
        public_assistance.ended_reason_label,
        public_assistance.delivery_id,
        public_assistance.line_number
    from public_assistance
    inner join atena on public_assistance.atena_no = atena.atena_no
),

certificates as (
    select
        atena.person_id,
        'disability_certificates' as source_id,
        disability_certificates.issued_on as observed_on,
        disability_certificates.returned_on as ended_on,
        disability_certificates.*
    from disability_certificates
    inner join atena on disability_certificates.atena_no = atena.atena_no
),

consultations as (
    select
        atena.person_id,
        'livelihood_consultations' as source_id,
        livelihood_consultations.consulted_on as observed_on,
        cast(null as date) as ended_on,
        livelihood_consultations.*
    from livelihood_consultations
    inner join atena on livelihood_consultations.atena_no = atena.atena_no
),

final as (
    {{ observation('public_assistance', 'assistances', text_value='assistance_scope_label') }}
    union all
    {{ observation(
        'public_assistance_ended', 'assistances',
        text_value='ended_reason_label',
        observed_on='abolished_on',
        ended_on=none
    ) }}
    union all
    {{ observation(
        'disability_certificate', 'certificates',
        when=names_kind('certificate_type', 'disability_certificate'),
        text_value="concat_ws(' ', certificate_type_label, certificate_grade_label)"
    ) }}
    union all
    {{ observation(
        'mental_disability_certificate', 'certificates',
        when=has_code('certificate_type', 'mental'),
        text_value='certificate_grade_label'
    ) }}
    union all
    {{ observation('livelihood_consultation', 'consultations', text_value='main_complaint_label') }}
    union all
    {{ observation(
        'debt_consultation', 'consultations',
        when=kind_means('main_complaint', 'livelihood_complaint', 'is_debt'),
        text_value='main_complaint_label'
    ) }}
)

select * from final
