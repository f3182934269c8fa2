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

notifications as (
    select
        pregnancies.person_id,
        'pregnancy_notifications' as source_id,
        pregnancy_notifications.notified_on as observed_on,
        cast(null as date) as ended_on,
        mothers.birth_on as mother_birth_on,
        pregnancy_notifications.*
    from pregnancy_notifications
    inner join pregnancies on pregnancy_notifications.notification_no = pregnancies.notification_no
    left join persons as mothers on pregnancies.mother_id = mothers.person_id
),

births as (
    select
        atena.person_id,
        'newborn_visits' as source_id,
        coalesce(newborn_visits.visited_on, persons.birth_on) as observed_on,
        cast(null as date) as ended_on,
        newborn_visits.*
    from newborn_visits
    inner join atena on newborn_visits.child_atena_no = atena.atena_no
    left join persons on atena.person_id = persons.person_id
),

checkups as (
    select
        atena.person_id,
        'infant_checkups' as source_id,
        coalesce(infant_checkups.attended_on, infant_checkups.scheduled_on) as observed_on,
        cast(null as date) as ended_on,
        infant_checkups.*
    from infant_checkups
    inner join atena on infant_checkups.child_atena_no = atena.atena_no
),

vaccinated as (
    select
        atena.person_id,
        'vaccinations' as source_id,
        vaccinations.vaccinated_on as observed_on,
        cast(null as date) as ended_on,
        vaccinations.*
    from vaccinations
    inner join atena on vaccinations.atena_no = atena.atena_no
),

final as (
    {{ observation(
        'pregnancy_notified_weeks', 'notifications',
        when='gestation_weeks is not null',
        value='gestation_weeks'
    ) }}
    union all
    {{ observation('pregnancy_smoking', 'notifications', when='is_smoking') }}
    union all
    {{ observation('pregnancy_drinking', 'notifications', when='is_drinking') }}
    union all
    {{ observation('pregnancy_psychiatric_history', 'notifications', when='has_psychiatric_history') }}
    union all
    {{ observation('pregnancy_no_supporter', 'notifications', when='has_no_supporter') }}
    union all
    {{ observation('pregnancy_economic_anxiety', 'notifications', when='has_economic_anxiety') }}
    union all
    {{ observation(
        'pregnancy_unmarried', 'notifications',
        when=kind_means('marital_status', 'marital_status', 'is_unmarried'),
        text_value='marital_status_label'
    ) }}
    union all
    {{ observation(
        'mother_age_at_pregnancy', 'notifications',
        when='mother_birth_on is not null',
        value=months_between('mother_birth_on', 'observed_on') ~ ' // 12'
    ) }}
    union all
    {{ observation('birth_weight', 'births', when='birth_weight_g is not null', value='birth_weight_g') }}
    union all
    {{ observation(
        'birth_gestation_weeks', 'births',
        when='gestation_weeks is not null',
        value='gestation_weeks'
    ) }}
    union all
    {{ observation('epds_total', 'births', when='epds_total is not null', value='epds_total') }}
    union all
    {{ observation('epds_item_10', 'births', when='epds_item_10 is not null', value='epds_item_10') }}
    union all
    {{ observation(
        'newborn_visit', 'births',
        when='not coalesce(is_visit_refused, false)',
        observed_on='visited_on'
    ) }}
    union all
    {{ observation('newborn_visit_refused', 'births', when='is_visit_refused') }}
    union all
    {{ observation(
        'checkup_attended', 'checkups',
        text_value='checkup_type_label',
        observed_on='attended_on'
    ) }}
    union all
    {{ observation(
        'checkup_missed', 'checkups',
        when='attended_on is null',
        text_value='checkup_type_label'
    ) }}
    union all
    {{ observation(
        'checkup_decayed_teeth', 'checkups',
        when='decayed_teeth is not null',
        value='decayed_teeth'
    ) }}
    union all
    {{ observation(
        'development_concern', 'checkups',
        when=kind_means('development_result', 'development_result', 'marks_concern'),
        text_value='development_result_label'
    ) }}
    union all
    {{ observation('hard_to_raise', 'checkups', when='is_hard_to_raise') }}
    union all
    {{ observation('checkup_weight', 'checkups', when='weight_kg is not null', value='weight_kg') }}
    union all
    {{ observation('vaccination', 'vaccinated', text_value='vaccine_type_label') }}
)

select * from final
