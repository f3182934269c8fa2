with atena as (
    select * from {{ ref('int_person__atena') }}
),

known_ids as (
    select * from {{ ref('int_person__known_ids') }}
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

recorded_status_checks as (
    select * from {{ ref('stg_child__recorded_status_checks') }}
),

recorded_visits as (
    select * from {{ ref('stg_child__recorded_visits') }}
),

allowances as (
    select
        atena.person_id,
        'child_allowance' as source_id,
        child_allowance.certified_on as observed_on,
        child_allowance.disqualified_on as ended_on,
        child_allowance.*
    from child_allowance
    inner join atena on child_allowance.child_atena_no = atena.atena_no
),

rearing_allowances as (
    select
        atena.person_id,
        'child_rearing_allowance' as source_id,
        child_rearing_allowance.certified_on as observed_on,
        child_rearing_allowance.disqualified_on as ended_on,
        child_rearing_allowance.*
    from child_rearing_allowance
    inner join atena on child_rearing_allowance.child_atena_no = atena.atena_no
),

enrolments as (
    select
        atena.person_id,
        'nursery_enrolment' as source_id,
        nursery_enrolment.entered_on as observed_on,
        nursery_enrolment.left_on as ended_on,
        nursery_enrolment.*
    from nursery_enrolment
    inner join atena on nursery_enrolment.child_atena_no = atena.atena_no
),

nursery_months as (
    select
        atena.person_id,
        'nursery_attendance' as source_id,
        last_day(nursery_attendance.attendance_month) as observed_on,
        cast(null as date) as ended_on,
        nursery_attendance.*
    from nursery_attendance
    inner join atena on nursery_attendance.child_atena_no = atena.atena_no
),

consultations as (
    select
        atena.person_id,
        'child_consultations' as source_id,
        child_consultations.received_on as observed_on,
        cast(null as date) as ended_on,
        child_consultations.*
    from child_consultations
    inner join atena on child_consultations.child_atena_no = atena.atena_no
),

cases as (
    select
        atena.person_id,
        'council_cases' as source_id,
        council_cases.registered_on as observed_on,
        council_cases.closed_on as ended_on,
        council_cases.*
    from council_cases
    inner join atena on council_cases.child_atena_no = atena.atena_no
),

violence_consultations as (
    select
        atena.person_id,
        'dv_consultations' as source_id,
        dv_consultations.received_on as observed_on,
        cast(null as date) as ended_on,
        dv_consultations.*
    from dv_consultations
    inner join atena on dv_consultations.client_atena_no = atena.atena_no
),

visits as (
    select
        known_ids.person_id,
        'recorded_visits' as source_id,
        recorded_visits.visited_on as observed_on,
        cast(null as date) as ended_on,
        recorded_visits.*
    from recorded_visits
    inner join known_ids on recorded_visits.subject_no = known_ids.known_id
),

status_checks as (
    select
        known_ids.person_id,
        'recorded_status_checks' as source_id,
        recorded_status_checks.checked_on as observed_on,
        cast(null as date) as ended_on,
        recorded_status_checks.*
    from recorded_status_checks
    inner join known_ids on recorded_status_checks.subject_no = known_ids.known_id
),

final as (
    {{ observation('child_allowance', 'allowances') }}
    union all
    {{ observation(
        'child_allowance_living_apart', 'allowances',
        when=has_code('living_arrangement', 'apart')
    ) }}
    union all
    {{ observation('child_allowance_report_missing', 'allowances', when='not is_status_report_filed') }}
    union all
    {{ observation('child_rearing_allowance', 'rearing_allowances', text_value='entitlement_reason_label') }}
    union all
    {{ observation(
        'child_rearing_allowance_class', 'rearing_allowances',
        when=names_kind('payment_class', 'rearing_allowance_class'),
        text_value='payment_class_label'
    ) }}
    union all
    {{ observation('nursery_enrolment', 'enrolments', text_value='facility_name') }}
    union all
    {{ observation(
        'nursery_left', 'enrolments',
        when=names_kind('leaving_reason', 'nursery_leaving_reason')
            ~ ' and not ' ~ kind_means('leaving_reason', 'nursery_leaving_reason', 'ends_as_planned'),
        text_value='leaving_reason_label',
        observed_on='left_on',
        ended_on=none
    ) }}
    union all
    {{ observation(
        'nursery_absence_rate', 'nursery_months',
        when='enrolled_days > 0',
        value=exact_ratio('100 * absent_days', 'enrolled_days')
    ) }}
    union all
    {{ observation(
        'nursery_unexcused_absence', 'nursery_months',
        when='unexcused_absent_days is not null',
        value='unexcused_absent_days'
    ) }}
    union all
    {{ observation('consultation', 'consultations', text_value='consultation_type_label') }}
    union all
    {{ observation(
        'abuse_consultation', 'consultations',
        when=names_kind('abuse_type', 'abuse_kind'),
        text_value='abuse_type_label'
    ) }}
    union all
    {{ observation(
        'rearing_consultation', 'consultations',
        when=kind_means('consultation_type', 'consultation_kind', 'is_rearing'),
        text_value='consultation_type_label'
    ) }}
    union all
    {{ observation(
        'consultation_with_child', 'consultations',
        when=kind_means('consultation_route', 'consultation_route', 'shows_child')
            ~ ' and not ' ~ kind_means('consultation_route', 'consultation_route', 'is_remote'),
        text_value='consultation_route_label'
    ) }}
    union all
    {{ observation('council_case', 'cases', text_value='case_class_label') }}
    union all
    {{ observation(
        'council_case_abuse', 'cases',
        when=names_kind('abuse_type', 'abuse_kind'),
        text_value='abuse_type_label'
    ) }}
    union all
    {{ observation('dv_consultation', 'violence_consultations', text_value='consultation_class_label') }}
    union all
    {{ observation(
        'visit_seen', 'visits',
        when=has_code('result', 'seen') ~ ' and not ' ~ kind_means('way', 'visit_way', 'is_remote'),
        text_value='way_label'
    ) }}
    union all
    {{ observation(
        'visit_not_met', 'visits',
        when=has_code('result', 'not_met') ~ ' or ('
            ~ has_code('result', 'seen') ~ ' and ' ~ kind_means('way', 'visit_way', 'is_remote') ~ ')',
        text_value='way_label'
    ) }}
    union all
    {{ observation(
        'status_check_seen', 'status_checks',
        when=kind_means('check_result', 'status_check_result', 'shows_child'),
        text_value='check_result_label'
    ) }}
    union all
    {{ observation('visit_refused', 'visits', when=has_code('result', 'refused'), text_value='way_label') }}
    union all
    select
        known_ids.person_id,
        heard_observations.observation_code,
        heard_observations.observed_on,
        heard_observations.ended_on,
        heard_observations.observed_value as value,
        heard_observations.observed_text as text_value,
        'heard_observations' as source_id,
        heard_observations.delivery_id,
        heard_observations.line_number
    from heard_observations
    inner join known_ids on heard_observations.subject_no = known_ids.known_id
    where heard_observations.observation_code is not null and heard_observations.observed_on is not null
)

select * from final
