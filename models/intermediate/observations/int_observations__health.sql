with atena as (
    select * from {{ ref('int_person__atena') }}
),

pregnancies as (
    select * from {{ ref('int_person__pregnancies') }}
),

persons as (
    select * from {{ ref('int_person__persons') }}
),

pregnancy_notifications as (
    select * from {{ ref('stg_health__pregnancy_notifications') }}
),

newborn_visits as (
    select * from {{ ref('stg_health__newborn_visits') }}
),

infant_checkups as (
    select * from {{ ref('stg_health__infant_checkups') }}
),

vaccinations as (
    select * from {{ ref('stg_health__vaccinations') }}
),

final as (
    select
        pregnancies.person_id,
        'pregnancy_notified_weeks' as observation_code,
        pregnancy_notifications.notified_on as observed_on,
        cast(null as date) as ended_on,
        cast(pregnancy_notifications.gestation_weeks as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'pregnancy_notifications' as source_id,
        pregnancy_notifications.delivery_id,
        pregnancy_notifications.line_number
    from pregnancy_notifications
    inner join pregnancies on pregnancy_notifications.notification_no = pregnancies.notification_no
    where
        pregnancy_notifications.gestation_weeks is not null
        and pregnancy_notifications.notified_on is not null
    union all
    select
        pregnancies.person_id,
        'pregnancy_smoking' as observation_code,
        pregnancy_notifications.notified_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'pregnancy_notifications' as source_id,
        pregnancy_notifications.delivery_id,
        pregnancy_notifications.line_number
    from pregnancy_notifications
    inner join pregnancies on pregnancy_notifications.notification_no = pregnancies.notification_no
    where pregnancy_notifications.is_smoking and pregnancy_notifications.notified_on is not null
    union all
    select
        pregnancies.person_id,
        'pregnancy_drinking' as observation_code,
        pregnancy_notifications.notified_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'pregnancy_notifications' as source_id,
        pregnancy_notifications.delivery_id,
        pregnancy_notifications.line_number
    from pregnancy_notifications
    inner join pregnancies on pregnancy_notifications.notification_no = pregnancies.notification_no
    where pregnancy_notifications.is_drinking and pregnancy_notifications.notified_on is not null
    union all
    select
        pregnancies.person_id,
        'pregnancy_psychiatric_history' as observation_code,
        pregnancy_notifications.notified_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'pregnancy_notifications' as source_id,
        pregnancy_notifications.delivery_id,
        pregnancy_notifications.line_number
    from pregnancy_notifications
    inner join pregnancies on pregnancy_notifications.notification_no = pregnancies.notification_no
    where pregnancy_notifications.has_psychiatric_history and pregnancy_notifications.notified_on is not null
    union all
    select
        pregnancies.person_id,
        'pregnancy_no_supporter' as observation_code,
        pregnancy_notifications.notified_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'pregnancy_notifications' as source_id,
        pregnancy_notifications.delivery_id,
        pregnancy_notifications.line_number
    from pregnancy_notifications
    inner join pregnancies on pregnancy_notifications.notification_no = pregnancies.notification_no
    where pregnancy_notifications.has_no_supporter and pregnancy_notifications.notified_on is not null
    union all
    select
        pregnancies.person_id,
        'pregnancy_economic_anxiety' as observation_code,
        pregnancy_notifications.notified_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'pregnancy_notifications' as source_id,
        pregnancy_notifications.delivery_id,
        pregnancy_notifications.line_number
    from pregnancy_notifications
    inner join pregnancies on pregnancy_notifications.notification_no = pregnancies.notification_no
    where pregnancy_notifications.has_economic_anxiety and pregnancy_notifications.notified_on is not null
    union all
    select
        pregnancies.person_id,
        'pregnancy_unmarried' as observation_code,
        pregnancy_notifications.notified_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        pregnancy_notifications.marital_status as text_value,
        'pregnancy_notifications' as source_id,
        pregnancy_notifications.delivery_id,
        pregnancy_notifications.line_number
    from pregnancy_notifications
    inner join pregnancies on pregnancy_notifications.notification_no = pregnancies.notification_no
    where
        regexp_matches(pregnancy_notifications.marital_status, '未婚|離婚|死別')
        and pregnancy_notifications.notified_on is not null
    union all
    select
        pregnancies.person_id,
        'mother_age_at_pregnancy' as observation_code,
        pregnancy_notifications.notified_on as observed_on,
        cast(null as date) as ended_on,
        cast(
            {{ months_between('persons.birth_on', 'pregnancy_notifications.notified_on') }} // 12
            as decimal(18, 4)
        ) as value,
        cast(null as varchar) as text_value,
        'pregnancy_notifications' as source_id,
        pregnancy_notifications.delivery_id,
        pregnancy_notifications.line_number
    from pregnancy_notifications
    inner join pregnancies on pregnancy_notifications.notification_no = pregnancies.notification_no
    inner join persons on pregnancies.mother_id = persons.person_id
    where persons.birth_on is not null and pregnancy_notifications.notified_on is not null
    union all
    select
        atena.person_id,
        'birth_weight' as observation_code,
        coalesce(newborn_visits.visited_on, persons.birth_on) as observed_on,
        cast(null as date) as ended_on,
        cast(newborn_visits.birth_weight_g as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'newborn_visits' as source_id,
        newborn_visits.delivery_id,
        newborn_visits.line_number
    from newborn_visits
    inner join atena on newborn_visits.child_atena_no = atena.atena_no
    left join persons on atena.person_id = persons.person_id
    where
        newborn_visits.birth_weight_g is not null
        and coalesce(newborn_visits.visited_on, persons.birth_on) is not null
    union all
    select
        atena.person_id,
        'birth_gestation_weeks' as observation_code,
        coalesce(newborn_visits.visited_on, persons.birth_on) as observed_on,
        cast(null as date) as ended_on,
        cast(newborn_visits.gestation_weeks as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'newborn_visits' as source_id,
        newborn_visits.delivery_id,
        newborn_visits.line_number
    from newborn_visits
    inner join atena on newborn_visits.child_atena_no = atena.atena_no
    left join persons on atena.person_id = persons.person_id
    where
        newborn_visits.gestation_weeks is not null
        and coalesce(newborn_visits.visited_on, persons.birth_on) is not null
    union all
    select
        atena.person_id,
        'epds_total' as observation_code,
        coalesce(newborn_visits.visited_on, persons.birth_on) as observed_on,
        cast(null as date) as ended_on,
        cast(newborn_visits.epds_total as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'newborn_visits' as source_id,
        newborn_visits.delivery_id,
        newborn_visits.line_number
    from newborn_visits
    inner join atena on newborn_visits.child_atena_no = atena.atena_no
    left join persons on atena.person_id = persons.person_id
    where
        newborn_visits.epds_total is not null
        and coalesce(newborn_visits.visited_on, persons.birth_on) is not null
    union all
    select
        atena.person_id,
        'epds_item_10' as observation_code,
        coalesce(newborn_visits.visited_on, persons.birth_on) as observed_on,
        cast(null as date) as ended_on,
        cast(newborn_visits.epds_item_10 as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'newborn_visits' as source_id,
        newborn_visits.delivery_id,
        newborn_visits.line_number
    from newborn_visits
    inner join atena on newborn_visits.child_atena_no = atena.atena_no
    left join persons on atena.person_id = persons.person_id
    where
        newborn_visits.epds_item_10 is not null
        and coalesce(newborn_visits.visited_on, persons.birth_on) is not null
    union all
    select
        atena.person_id,
        'newborn_visit' as observation_code,
        newborn_visits.visited_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'newborn_visits' as source_id,
        newborn_visits.delivery_id,
        newborn_visits.line_number
    from newborn_visits
    inner join atena on newborn_visits.child_atena_no = atena.atena_no
    where not coalesce(newborn_visits.is_visit_refused, false) and newborn_visits.visited_on is not null
    union all
    select
        atena.person_id,
        'newborn_visit_refused' as observation_code,
        coalesce(newborn_visits.visited_on, persons.birth_on) as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'newborn_visits' as source_id,
        newborn_visits.delivery_id,
        newborn_visits.line_number
    from newborn_visits
    inner join atena on newborn_visits.child_atena_no = atena.atena_no
    left join persons on atena.person_id = persons.person_id
    where
        newborn_visits.is_visit_refused
        and coalesce(newborn_visits.visited_on, persons.birth_on) is not null
    union all
    select
        atena.person_id,
        'checkup_attended' as observation_code,
        infant_checkups.attended_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        infant_checkups.checkup_type as text_value,
        'infant_checkups' as source_id,
        infant_checkups.delivery_id,
        infant_checkups.line_number
    from infant_checkups
    inner join atena on infant_checkups.child_atena_no = atena.atena_no
    where infant_checkups.attended_on is not null
    union all
    select
        atena.person_id,
        'checkup_missed' as observation_code,
        infant_checkups.scheduled_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        infant_checkups.checkup_type as text_value,
        'infant_checkups' as source_id,
        infant_checkups.delivery_id,
        infant_checkups.line_number
    from infant_checkups
    inner join atena on infant_checkups.child_atena_no = atena.atena_no
    where infant_checkups.attended_on is null and infant_checkups.scheduled_on is not null
    union all
    select
        atena.person_id,
        'checkup_decayed_teeth' as observation_code,
        coalesce(infant_checkups.attended_on, infant_checkups.scheduled_on) as observed_on,
        cast(null as date) as ended_on,
        cast(infant_checkups.decayed_teeth as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'infant_checkups' as source_id,
        infant_checkups.delivery_id,
        infant_checkups.line_number
    from infant_checkups
    inner join atena on infant_checkups.child_atena_no = atena.atena_no
    where
        infant_checkups.decayed_teeth is not null
        and coalesce(infant_checkups.attended_on, infant_checkups.scheduled_on) is not null
    union all
    select
        atena.person_id,
        'development_concern' as observation_code,
        coalesce(infant_checkups.attended_on, infant_checkups.scheduled_on) as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        infant_checkups.development_result as text_value,
        'infant_checkups' as source_id,
        infant_checkups.delivery_id,
        infant_checkups.line_number
    from infant_checkups
    inner join atena on infant_checkups.child_atena_no = atena.atena_no
    where
        (infant_checkups.development_result like '%要%' or infant_checkups.development_result like '%疑%')
        and coalesce(infant_checkups.attended_on, infant_checkups.scheduled_on) is not null
    union all
    select
        atena.person_id,
        'hard_to_raise' as observation_code,
        coalesce(infant_checkups.attended_on, infant_checkups.scheduled_on) as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'infant_checkups' as source_id,
        infant_checkups.delivery_id,
        infant_checkups.line_number
    from infant_checkups
    inner join atena on infant_checkups.child_atena_no = atena.atena_no
    where
        infant_checkups.is_hard_to_raise
        and coalesce(infant_checkups.attended_on, infant_checkups.scheduled_on) is not null
    union all
    select
        atena.person_id,
        'checkup_weight' as observation_code,
        coalesce(infant_checkups.attended_on, infant_checkups.scheduled_on) as observed_on,
        cast(null as date) as ended_on,
        cast(infant_checkups.weight_kg as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'infant_checkups' as source_id,
        infant_checkups.delivery_id,
        infant_checkups.line_number
    from infant_checkups
    inner join atena on infant_checkups.child_atena_no = atena.atena_no
    where
        infant_checkups.weight_kg is not null
        and coalesce(infant_checkups.attended_on, infant_checkups.scheduled_on) is not null
    union all
    select
        atena.person_id,
        'vaccination' as observation_code,
        vaccinations.vaccinated_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        vaccinations.vaccine_type as text_value,
        'vaccinations' as source_id,
        vaccinations.delivery_id,
        vaccinations.line_number
    from vaccinations
    inner join atena on vaccinations.atena_no = atena.atena_no
    where vaccinations.vaccinated_on is not null
)

select * from final
