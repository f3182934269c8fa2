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

final as (
    select
        atena.person_id,
        'public_assistance' as observation_code,
        public_assistance.started_on as observed_on,
        coalesce(public_assistance.ended_on, public_assistance.suspended_on) as ended_on,
        cast(null as decimal(18, 4)) as value,
        public_assistance.assistance_scope as text_value,
        'public_assistance' as source_id,
        public_assistance.delivery_id,
        public_assistance.line_number
    from public_assistance
    inner join atena on public_assistance.atena_no = atena.atena_no
    where public_assistance.started_on is not null
    union all
    select
        atena.person_id,
        'public_assistance_ended' as observation_code,
        public_assistance.ended_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        public_assistance.ended_reason as text_value,
        'public_assistance' as source_id,
        public_assistance.delivery_id,
        public_assistance.line_number
    from public_assistance
    inner join atena on public_assistance.atena_no = atena.atena_no
    where public_assistance.ended_on is not null
    union all
    select
        atena.person_id,
        'disability_certificate' as observation_code,
        disability_certificates.issued_on as observed_on,
        disability_certificates.returned_on as ended_on,
        cast(null as decimal(18, 4)) as value,
        concat_ws(
            ' ', disability_certificates.certificate_type, disability_certificates.certificate_grade
        ) as text_value,
        'disability_certificates' as source_id,
        disability_certificates.delivery_id,
        disability_certificates.line_number
    from disability_certificates
    inner join atena on disability_certificates.atena_no = atena.atena_no
    where disability_certificates.issued_on is not null
    union all
    select
        atena.person_id,
        'mental_disability_certificate' as observation_code,
        disability_certificates.issued_on as observed_on,
        disability_certificates.returned_on as ended_on,
        cast(null as decimal(18, 4)) as value,
        disability_certificates.certificate_grade as text_value,
        'disability_certificates' as source_id,
        disability_certificates.delivery_id,
        disability_certificates.line_number
    from disability_certificates
    inner join atena on disability_certificates.atena_no = atena.atena_no
    where
        disability_certificates.certificate_type like '%精神%'
        and disability_certificates.issued_on is not null
    union all
    select
        atena.person_id,
        'livelihood_consultation' as observation_code,
        livelihood_consultations.consulted_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        livelihood_consultations.main_complaint as text_value,
        'livelihood_consultations' as source_id,
        livelihood_consultations.delivery_id,
        livelihood_consultations.line_number
    from livelihood_consultations
    inner join atena on livelihood_consultations.atena_no = atena.atena_no
    where livelihood_consultations.consulted_on is not null
    union all
    select
        atena.person_id,
        'debt_consultation' as observation_code,
        livelihood_consultations.consulted_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        livelihood_consultations.main_complaint as text_value,
        'livelihood_consultations' as source_id,
        livelihood_consultations.delivery_id,
        livelihood_consultations.line_number
    from livelihood_consultations
    inner join atena on livelihood_consultations.atena_no = atena.atena_no
    where
        regexp_matches(livelihood_consultations.main_complaint, '債務|借金|家計|滞納')
        and livelihood_consultations.consulted_on is not null
)

select * from final
