with identities as (
    select * from {{ ref('int_person__identities') }}
),

school_enrolment as (
    select * from {{ ref('stg_education__school_enrolment') }}
),

school_attendance as (
    select * from {{ ref('stg_education__school_attendance') }}
),

school_aid as (
    select * from {{ ref('stg_education__school_aid') }}
),

school_checkups as (
    select * from {{ ref('stg_education__school_checkups') }}
),

school_consultations as (
    select * from {{ ref('stg_education__school_consultations') }}
),

final as (
    select
        identities.person_id,
        'school_enrolment' as observation_code,
        school_enrolment.enrolled_on as observed_on,
        school_enrolment.left_on as ended_on,
        cast(school_enrolment.grade as decimal(18, 4)) as value,
        school_enrolment.school_name as text_value,
        'school_enrolment' as source_id,
        school_enrolment.delivery_id,
        school_enrolment.line_number
    from school_enrolment
    inner join identities
        on
            identities.source_id = 'school_enrolment'
            and school_enrolment.school_person_no = identities.source_key
    where school_enrolment.enrolled_on is not null
    union all
    select
        identities.person_id,
        'school_absence_days' as observation_code,
        last_day(school_attendance.attendance_month) as observed_on,
        cast(null as date) as ended_on,
        cast(school_attendance.absent_days as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'school_attendance' as source_id,
        school_attendance.delivery_id,
        school_attendance.line_number
    from school_attendance
    inner join identities
        on
            identities.source_id = 'school_enrolment'
            and school_attendance.school_person_no = identities.source_key
    where
        school_attendance.absent_days is not null
        and last_day(school_attendance.attendance_month) is not null
    union all
    select
        identities.person_id,
        'school_absence_rate' as observation_code,
        last_day(school_attendance.attendance_month) as observed_on,
        cast(null as date) as ended_on,
        cast(
            100.0 * school_attendance.absent_days / nullif(school_attendance.school_days, 0) as decimal(18, 4)
        ) as value,
        cast(null as varchar) as text_value,
        'school_attendance' as source_id,
        school_attendance.delivery_id,
        school_attendance.line_number
    from school_attendance
    inner join identities
        on
            identities.source_id = 'school_enrolment'
            and school_attendance.school_person_no = identities.source_key
    where
        school_attendance.school_days > 0
        and school_attendance.absent_days is not null
        and last_day(school_attendance.attendance_month) is not null
    union all
    select
        identities.person_id,
        'school_late' as observation_code,
        last_day(school_attendance.attendance_month) as observed_on,
        cast(null as date) as ended_on,
        cast(
            coalesce(school_attendance.late_count, 0) + coalesce(school_attendance.early_leave_count, 0)
            as decimal(18, 4)
        ) as value,
        cast(null as varchar) as text_value,
        'school_attendance' as source_id,
        school_attendance.delivery_id,
        school_attendance.line_number
    from school_attendance
    inner join identities
        on
            identities.source_id = 'school_enrolment'
            and school_attendance.school_person_no = identities.source_key
    where
        coalesce(school_attendance.late_count, school_attendance.early_leave_count) is not null
        and last_day(school_attendance.attendance_month) is not null
    union all
    select
        identities.person_id,
        'school_nurse_room' as observation_code,
        last_day(school_attendance.attendance_month) as observed_on,
        cast(null as date) as ended_on,
        cast(school_attendance.nurse_room_visits as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'school_attendance' as source_id,
        school_attendance.delivery_id,
        school_attendance.line_number
    from school_attendance
    inner join identities
        on
            identities.source_id = 'school_enrolment'
            and school_attendance.school_person_no = identities.source_key
    where
        school_attendance.nurse_room_visits is not null
        and last_day(school_attendance.attendance_month) is not null
    union all
    select
        identities.person_id,
        'school_aid' as observation_code,
        make_date(school_aid.fiscal_year, 4, 1) as observed_on,
        make_date(school_aid.fiscal_year + 1, 4, 1) as ended_on,
        cast(null as decimal(18, 4)) as value,
        school_aid.aid_class as text_value,
        'school_aid' as source_id,
        school_aid.delivery_id,
        school_aid.line_number
    from school_aid
    inner join identities
        on
            identities.source_id = 'school_enrolment'
            and school_aid.school_person_no = identities.source_key
    where
        school_aid.aid_class is not null
        and school_aid.fiscal_year between 1950 and 2200
        and make_date(school_aid.fiscal_year, 4, 1) is not null
    union all
    select
        identities.person_id,
        'school_untreated_teeth' as observation_code,
        make_date(school_checkups.fiscal_year, 6, 30) as observed_on,
        cast(null as date) as ended_on,
        cast(school_checkups.untreated_decayed_teeth as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'school_checkups' as source_id,
        school_checkups.delivery_id,
        school_checkups.line_number
    from school_checkups
    inner join identities
        on
            identities.source_id = 'school_enrolment'
            and school_checkups.school_person_no = identities.source_key
    where
        school_checkups.untreated_decayed_teeth is not null
        and school_checkups.fiscal_year between 1950 and 2200
        and make_date(school_checkups.fiscal_year, 6, 30) is not null
    union all
    select
        identities.person_id,
        'school_bmi' as observation_code,
        make_date(school_checkups.fiscal_year, 6, 30) as observed_on,
        cast(null as date) as ended_on,
        cast(
            school_checkups.weight_kg * 10000
            / nullif(school_checkups.height_cm * school_checkups.height_cm, 0)
            as decimal(18, 4)
        ) as value,
        cast(null as varchar) as text_value,
        'school_checkups' as source_id,
        school_checkups.delivery_id,
        school_checkups.line_number
    from school_checkups
    inner join identities
        on
            identities.source_id = 'school_enrolment'
            and school_checkups.school_person_no = identities.source_key
    where
        school_checkups.height_cm > 50
        and school_checkups.weight_kg is not null
        and school_checkups.fiscal_year between 1950 and 2200
        and make_date(school_checkups.fiscal_year, 6, 30) is not null
    union all
    select
        identities.person_id,
        'bullying' as observation_code,
        school_consultations.occurred_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        school_consultations.incident_type as text_value,
        'school_consultations' as source_id,
        school_consultations.delivery_id,
        school_consultations.line_number
    from school_consultations
    inner join identities
        on
            identities.source_id = 'school_enrolment'
            and school_consultations.school_person_no = identities.source_key
    where school_consultations.incident_type like '%いじめ%' and school_consultations.occurred_on is not null
    union all
    select
        identities.person_id,
        'truancy_record' as observation_code,
        school_consultations.occurred_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        school_consultations.incident_type as text_value,
        'school_consultations' as source_id,
        school_consultations.delivery_id,
        school_consultations.line_number
    from school_consultations
    inner join identities
        on
            identities.source_id = 'school_enrolment'
            and school_consultations.school_person_no = identities.source_key
    where school_consultations.incident_type like '%不登校%' and school_consultations.occurred_on is not null
    union all
    select
        identities.person_id,
        'ssw_record' as observation_code,
        school_consultations.occurred_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        school_consultations.incident_type as text_value,
        'school_consultations' as source_id,
        school_consultations.delivery_id,
        school_consultations.line_number
    from school_consultations
    inner join identities
        on
            identities.source_id = 'school_enrolment'
            and school_consultations.school_person_no = identities.source_key
    where school_consultations.incident_type like '%SSW%' and school_consultations.occurred_on is not null
    union all
    select
        identities.person_id,
        'school_consultation' as observation_code,
        school_consultations.occurred_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        school_consultations.incident_type as text_value,
        'school_consultations' as source_id,
        school_consultations.delivery_id,
        school_consultations.line_number
    from school_consultations
    inner join identities
        on
            identities.source_id = 'school_enrolment'
            and school_consultations.school_person_no = identities.source_key
    where school_consultations.occurred_on is not null
)

select * from final
