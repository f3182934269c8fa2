with atena as (
    select * from {{ ref('int_person__atena') }}
),

child_allowance as (
    select * from {{ ref('stg_child__child_allowance') }}
),

child_rearing_allowance as (
    select * from {{ ref('stg_child__child_rearing_allowance') }}
),

nursery_enrolment as (
    select * from {{ ref('stg_child__nursery_enrolment') }}
),

nursery_attendance as (
    select * from {{ ref('stg_child__nursery_attendance') }}
),

child_consultations as (
    select * from {{ ref('stg_child__child_consultations') }}
),

council_cases as (
    select * from {{ ref('stg_child__council_cases') }}
),

dv_consultations as (
    select * from {{ ref('stg_child__dv_consultations') }}
),

heard_observations as (
    select * from {{ ref('stg_child__heard_observations') }}
),

final as (
    select
        atena.person_id,
        'child_allowance' as observation_code,
        child_allowance.certified_on as observed_on,
        child_allowance.disqualified_on as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'child_allowance' as source_id,
        child_allowance.delivery_id,
        child_allowance.line_number
    from child_allowance
    inner join atena on child_allowance.child_atena_no = atena.atena_no
    where child_allowance.certified_on is not null
    union all
    select
        atena.person_id,
        'child_allowance_living_apart' as observation_code,
        child_allowance.certified_on as observed_on,
        child_allowance.disqualified_on as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'child_allowance' as source_id,
        child_allowance.delivery_id,
        child_allowance.line_number
    from child_allowance
    inner join atena on child_allowance.child_atena_no = atena.atena_no
    where child_allowance.living_arrangement like '%別居%' and child_allowance.certified_on is not null
    union all
    select
        atena.person_id,
        'child_allowance_report_missing' as observation_code,
        child_allowance.certified_on as observed_on,
        child_allowance.disqualified_on as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'child_allowance' as source_id,
        child_allowance.delivery_id,
        child_allowance.line_number
    from child_allowance
    inner join atena on child_allowance.child_atena_no = atena.atena_no
    where not child_allowance.is_status_report_filed and child_allowance.certified_on is not null
    union all
    select
        atena.person_id,
        'child_rearing_allowance' as observation_code,
        child_rearing_allowance.certified_on as observed_on,
        child_rearing_allowance.disqualified_on as ended_on,
        cast(null as decimal(18, 4)) as value,
        child_rearing_allowance.entitlement_reason as text_value,
        'child_rearing_allowance' as source_id,
        child_rearing_allowance.delivery_id,
        child_rearing_allowance.line_number
    from child_rearing_allowance
    inner join atena on child_rearing_allowance.child_atena_no = atena.atena_no
    where child_rearing_allowance.certified_on is not null
    union all
    select
        atena.person_id,
        'child_rearing_allowance_class' as observation_code,
        child_rearing_allowance.certified_on as observed_on,
        child_rearing_allowance.disqualified_on as ended_on,
        cast(null as decimal(18, 4)) as value,
        child_rearing_allowance.payment_class as text_value,
        'child_rearing_allowance' as source_id,
        child_rearing_allowance.delivery_id,
        child_rearing_allowance.line_number
    from child_rearing_allowance
    inner join atena on child_rearing_allowance.child_atena_no = atena.atena_no
    where
        child_rearing_allowance.payment_class is not null
        and child_rearing_allowance.certified_on is not null
    union all
    select
        atena.person_id,
        'nursery_enrolment' as observation_code,
        nursery_enrolment.entered_on as observed_on,
        nursery_enrolment.left_on as ended_on,
        cast(null as decimal(18, 4)) as value,
        nursery_enrolment.facility_name as text_value,
        'nursery_enrolment' as source_id,
        nursery_enrolment.delivery_id,
        nursery_enrolment.line_number
    from nursery_enrolment
    inner join atena on nursery_enrolment.child_atena_no = atena.atena_no
    where nursery_enrolment.entered_on is not null
    union all
    select
        atena.person_id,
        'nursery_left' as observation_code,
        nursery_enrolment.left_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        nursery_enrolment.leaving_reason as text_value,
        'nursery_enrolment' as source_id,
        nursery_enrolment.delivery_id,
        nursery_enrolment.line_number
    from nursery_enrolment
    inner join atena on nursery_enrolment.child_atena_no = atena.atena_no
    where
        nursery_enrolment.leaving_reason is not null
        and nursery_enrolment.leaving_reason not like '%卒園%'
        and nursery_enrolment.leaving_reason not like '%就学%'
        and nursery_enrolment.left_on is not null
    union all
    select
        atena.person_id,
        'nursery_absence_rate' as observation_code,
        last_day(nursery_attendance.attendance_month) as observed_on,
        cast(null as date) as ended_on,
        cast(
            100.0 * nursery_attendance.absent_days / nullif(nursery_attendance.enrolled_days, 0)
            as decimal(18, 4)
        ) as value,
        cast(null as varchar) as text_value,
        'nursery_attendance' as source_id,
        nursery_attendance.delivery_id,
        nursery_attendance.line_number
    from nursery_attendance
    inner join atena on nursery_attendance.child_atena_no = atena.atena_no
    where nursery_attendance.enrolled_days > 0 and last_day(nursery_attendance.attendance_month) is not null
    union all
    select
        atena.person_id,
        'nursery_unexcused_absence' as observation_code,
        last_day(nursery_attendance.attendance_month) as observed_on,
        cast(null as date) as ended_on,
        cast(nursery_attendance.unexcused_absent_days as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'nursery_attendance' as source_id,
        nursery_attendance.delivery_id,
        nursery_attendance.line_number
    from nursery_attendance
    inner join atena on nursery_attendance.child_atena_no = atena.atena_no
    where
        nursery_attendance.unexcused_absent_days is not null
        and last_day(nursery_attendance.attendance_month) is not null
    union all
    select
        atena.person_id,
        'consultation' as observation_code,
        child_consultations.received_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        child_consultations.consultation_type as text_value,
        'child_consultations' as source_id,
        child_consultations.delivery_id,
        child_consultations.line_number
    from child_consultations
    inner join atena on child_consultations.child_atena_no = atena.atena_no
    where child_consultations.received_on is not null
    union all
    select
        atena.person_id,
        'abuse_consultation' as observation_code,
        child_consultations.received_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        child_consultations.abuse_type as text_value,
        'child_consultations' as source_id,
        child_consultations.delivery_id,
        child_consultations.line_number
    from child_consultations
    inner join atena on child_consultations.child_atena_no = atena.atena_no
    where child_consultations.abuse_type is not null and child_consultations.received_on is not null
    union all
    select
        atena.person_id,
        'rearing_consultation' as observation_code,
        child_consultations.received_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        child_consultations.consultation_type as text_value,
        'child_consultations' as source_id,
        child_consultations.delivery_id,
        child_consultations.line_number
    from child_consultations
    inner join atena on child_consultations.child_atena_no = atena.atena_no
    where
        regexp_matches(child_consultations.consultation_type, '養育|育児|育成')
        and child_consultations.received_on is not null
    union all
    select
        atena.person_id,
        'council_case' as observation_code,
        council_cases.registered_on as observed_on,
        council_cases.closed_on as ended_on,
        cast(null as decimal(18, 4)) as value,
        council_cases.case_class as text_value,
        'council_cases' as source_id,
        council_cases.delivery_id,
        council_cases.line_number
    from council_cases
    inner join atena on council_cases.child_atena_no = atena.atena_no
    where council_cases.registered_on is not null
    union all
    select
        atena.person_id,
        'council_case_abuse' as observation_code,
        council_cases.registered_on as observed_on,
        council_cases.closed_on as ended_on,
        cast(null as decimal(18, 4)) as value,
        council_cases.abuse_type as text_value,
        'council_cases' as source_id,
        council_cases.delivery_id,
        council_cases.line_number
    from council_cases
    inner join atena on council_cases.child_atena_no = atena.atena_no
    where council_cases.abuse_type is not null and council_cases.registered_on is not null
    union all
    select
        atena.person_id,
        'dv_consultation' as observation_code,
        dv_consultations.received_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        dv_consultations.consultation_class as text_value,
        'dv_consultations' as source_id,
        dv_consultations.delivery_id,
        dv_consultations.line_number
    from dv_consultations
    inner join atena on dv_consultations.client_atena_no = atena.atena_no
    where dv_consultations.received_on is not null
    union all
    select
        -- a child before birth has no number yet
        coalesce(atena.person_id, heard_observations.subject_no) as person_id,
        heard_observations.observation_code,
        heard_observations.observed_on,
        heard_observations.ended_on,
        heard_observations.observed_value as value,
        heard_observations.observed_text as text_value,
        'heard_observations' as source_id,
        heard_observations.delivery_id,
        heard_observations.line_number
    from heard_observations
    left join atena on heard_observations.subject_no = atena.atena_no
    where heard_observations.observation_code is not null and heard_observations.observed_on is not null
)

select * from final
