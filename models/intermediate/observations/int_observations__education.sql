with pupils as (
    select * from {{ ref('int_person__pupil_numbers') }}
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

enrolments as (
    select
        pupils.person_id,
        'school_enrolment' as source_id,
        school_enrolment.enrolled_on as observed_on,
        school_enrolment.left_on as ended_on,
        school_enrolment.*
    from school_enrolment
    inner join pupils on school_enrolment.school_person_no = pupils.school_person_no
),

-- A 宛名番号 that a row carries itself (識別番号) leads over the roster.
atena as (
    select * from {{ ref('int_person__atena') }}
),

school_months as (
    select
        coalesce(atena.person_id, pupils.person_id) as person_id,
        'school_attendance' as source_id,
        last_day(school_attendance.attendance_month) as observed_on,
        cast(null as date) as ended_on,
        school_attendance.*
    from school_attendance
    left join atena on school_attendance.atena_no = atena.atena_no
    left join pupils on school_attendance.school_person_no = pupils.school_person_no
    where coalesce(atena.person_id, pupils.person_id) is not null
),

aids as (
    select
        coalesce(atena.person_id, pupils.person_id) as person_id,
        'school_aid' as source_id,
        make_date(school_aid.fiscal_year, 4, 1) as observed_on,
        make_date(school_aid.fiscal_year + 1, 4, 1) as ended_on,
        school_aid.*
    from school_aid
    left join atena on school_aid.atena_no = atena.atena_no
    left join pupils on school_aid.school_person_no = pupils.school_person_no
    where
        coalesce(atena.person_id, pupils.person_id) is not null
        and school_aid.fiscal_year between 1950 and 2200
),

checkups as (
    select
        coalesce(atena.person_id, pupils.person_id) as person_id,
        'school_checkups' as source_id,
        make_date(school_checkups.fiscal_year, 6, 30) as observed_on,
        cast(null as date) as ended_on,
        school_checkups.*
    from school_checkups
    left join atena on school_checkups.atena_no = atena.atena_no
    left join pupils on school_checkups.school_person_no = pupils.school_person_no
    where
        coalesce(atena.person_id, pupils.person_id) is not null
        and school_checkups.fiscal_year between 1950 and 2200
),

records as (
    select
        coalesce(atena.person_id, pupils.person_id) as person_id,
        'school_consultations' as source_id,
        school_consultations.occurred_on as observed_on,
        cast(null as date) as ended_on,
        school_consultations.*
    from school_consultations
    left join atena on school_consultations.atena_no = atena.atena_no
    left join pupils on school_consultations.school_person_no = pupils.school_person_no
    where coalesce(atena.person_id, pupils.person_id) is not null
),

final as (
    {{ observation('school_enrolment', 'enrolments', value='grade', text_value='school_name') }}
    union all
    {{ observation(
        'school_absence_days', 'school_months',
        when='absent_days is not null',
        value='absent_days'
    ) }}
    union all
    {{ observation(
        'school_absence_rate', 'school_months',
        when='school_days > 0 and absent_days is not null',
        value=exact_ratio('100 * absent_days', 'school_days')
    ) }}
    union all
    {{ observation(
        'school_late', 'school_months',
        when='coalesce(late_count, early_leave_count) is not null',
        value='coalesce(cast(late_count as bigint), 0) + coalesce(early_leave_count, 0)'
    ) }}
    union all
    {{ observation(
        'school_nurse_room', 'school_months',
        when='nurse_room_visits is not null',
        value='nurse_room_visits'
    ) }}
    union all
    {{ observation(
        'school_aid', 'aids',
        when=names_kind('aid_class', 'school_aid_class'),
        text_value='aid_class_label'
    ) }}
    union all
    {{ observation(
        'school_untreated_teeth', 'checkups',
        when='untreated_decayed_teeth is not null',
        value='untreated_decayed_teeth'
    ) }}
    union all
    {{ observation(
        'school_bmi', 'checkups',
        when='height_cm > 50 and weight_kg is not null',
        value=exact_ratio(
            'cast(weight_kg * 1000000 as hugeint) * 10000000000',
            'cast(height_cm * 1000000 as hugeint) * cast(height_cm * 1000000 as hugeint)'
        )
    ) }}
    union all
    {{ observation(
        'bullying', 'records',
        when=has_code('incident_type', 'bullying'),
        text_value='incident_type_label'
    ) }}
    union all
    {{ observation(
        'truancy_record', 'records',
        when=has_code('incident_type', 'truancy'),
        text_value='incident_type_label'
    ) }}
    union all
    {{ observation(
        'ssw_record', 'records',
        when=has_code('incident_type', 'social_worker'),
        text_value='incident_type_label'
    ) }}
    union all
    {{ observation('school_consultation', 'records', text_value='incident_type_label') }}
)

select * from final
