with atena as (
    select * from {{ ref('int_person__atena') }}
),

household_history as (
    select * from {{ ref('stg_citizens__household_history') }}
),

marriages as (
    select * from {{ ref('stg_citizens__marriages') }}
),

parentage as (
    select * from {{ ref('stg_citizens__parentage') }}
),

national_health_insurance as (
    select * from {{ ref('stg_citizens__national_health_insurance') }}
),

resident_register as (
    select * from {{ ref('stg_citizens__resident_register') }}
),

final as (
    select
        atena.person_id,
        'household_move' as observation_code,
        household_history.valid_from as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'household_history' as source_id,
        household_history.delivery_id,
        household_history.line_number
    from household_history
    inner join atena on household_history.atena_no = atena.atena_no
    where household_history.move_reason_code in ('10', '16') and household_history.valid_from is not null
    union all
    select
        atena.person_id,
        'household_change' as observation_code,
        household_history.valid_from as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'household_history' as source_id,
        household_history.delivery_id,
        household_history.line_number
    from household_history
    inner join atena on household_history.atena_no = atena.atena_no
    where household_history.move_reason_code = '17' and household_history.valid_from is not null
    union all
    select
        atena.person_id,
        'head_changed_to_other_relation' as observation_code,
        household_history.valid_from as observed_on,
        household_history.valid_to as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'household_history' as source_id,
        household_history.delivery_id,
        household_history.line_number
    from household_history
    inner join atena on household_history.atena_no = atena.atena_no
    where
        (household_history.relation_code_1 = '99' or household_history.relation_code_2 = '20')
        and household_history.valid_from is not null
    union all
    select
        atena.person_id,
        'divorce' as observation_code,
        marriages.notified_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        marriages.notice_type as text_value,
        'marriages' as source_id,
        marriages.delivery_id,
        marriages.line_number
    from marriages
    inner join atena on marriages.husband_atena_no = atena.atena_no
    where marriages.notice_type like '%離婚%' and marriages.notified_on is not null
    union all
    select
        atena.person_id,
        'marriage' as observation_code,
        marriages.notified_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        marriages.notice_type as text_value,
        'marriages' as source_id,
        marriages.delivery_id,
        marriages.line_number
    from marriages
    inner join atena on marriages.husband_atena_no = atena.atena_no
    where marriages.notice_type like '%婚姻%' and marriages.notified_on is not null
    union all
    select
        atena.person_id,
        'divorce' as observation_code,
        marriages.notified_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        marriages.notice_type as text_value,
        'marriages' as source_id,
        marriages.delivery_id,
        marriages.line_number
    from marriages
    inner join atena on marriages.wife_atena_no = atena.atena_no
    where marriages.notice_type like '%離婚%' and marriages.notified_on is not null
    union all
    select
        atena.person_id,
        'marriage' as observation_code,
        marriages.notified_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        marriages.notice_type as text_value,
        'marriages' as source_id,
        marriages.delivery_id,
        marriages.line_number
    from marriages
    inner join atena on marriages.wife_atena_no = atena.atena_no
    where marriages.notice_type like '%婚姻%' and marriages.notified_on is not null
    union all
    select
        atena.person_id,
        'acknowledged' as observation_code,
        parentage.notified_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        parentage.notice_type as text_value,
        'parentage' as source_id,
        parentage.delivery_id,
        parentage.line_number
    from parentage
    inner join atena on parentage.child_atena_no = atena.atena_no
    where parentage.notice_type like '%認知%' and parentage.notified_on is not null
    union all
    select
        atena.person_id,
        'adopted' as observation_code,
        parentage.notified_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        parentage.notice_type as text_value,
        'parentage' as source_id,
        parentage.delivery_id,
        parentage.line_number
    from parentage
    inner join atena on parentage.child_atena_no = atena.atena_no
    where parentage.notice_type like '%縁組%' and parentage.notified_on is not null
    union all
    select
        atena.person_id,
        'adoption_ended' as observation_code,
        parentage.notified_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        parentage.notice_type as text_value,
        'parentage' as source_id,
        parentage.delivery_id,
        parentage.line_number
    from parentage
    inner join atena on parentage.child_atena_no = atena.atena_no
    where parentage.notice_type like '%離縁%' and parentage.notified_on is not null
    union all
    select
        atena.person_id,
        'health_insurance' as observation_code,
        national_health_insurance.qualified_on as observed_on,
        national_health_insurance.disqualified_on as ended_on,
        cast(null as decimal(18, 4)) as value,
        national_health_insurance.certificate_type as text_value,
        'national_health_insurance' as source_id,
        national_health_insurance.delivery_id,
        national_health_insurance.line_number
    from national_health_insurance
    inner join atena on national_health_insurance.atena_no = atena.atena_no
    where national_health_insurance.qualified_on is not null
    union all
    select
        atena.person_id,
        'health_insurance_restricted' as observation_code,
        national_health_insurance.qualified_on as observed_on,
        national_health_insurance.disqualified_on as ended_on,
        cast(null as decimal(18, 4)) as value,
        national_health_insurance.certificate_type as text_value,
        'national_health_insurance' as source_id,
        national_health_insurance.delivery_id,
        national_health_insurance.line_number
    from national_health_insurance
    inner join atena on national_health_insurance.atena_no = atena.atena_no
    where
        regexp_matches(national_health_insurance.certificate_type, '短期|資格証')
        and national_health_insurance.qualified_on is not null
    union all
    select
        atena.person_id,
        'foreign_resident' as observation_code,
        resident_register.resident_since_on as observed_on,
        cast(null as date) as ended_on,
        cast(null as decimal(18, 4)) as value,
        cast(null as varchar) as text_value,
        'resident_register' as source_id,
        resident_register.delivery_id,
        resident_register.line_number
    from resident_register
    inner join atena on resident_register.atena_no = atena.atena_no
    where resident_register.resident_kind_code = '2' and resident_register.resident_since_on is not null
    union all
    select
        atena.person_id,
        'support_measure' as observation_code,
        resident_register.support_measure_from as observed_on,
        resident_register.support_measure_until as ended_on,
        cast(null as decimal(18, 4)) as value,
        resident_register.support_measure as text_value,
        'resident_register' as source_id,
        resident_register.delivery_id,
        resident_register.line_number
    from resident_register
    inner join atena on resident_register.atena_no = atena.atena_no
    where resident_register.support_measure is not null and resident_register.support_measure_from is not null
)

select * from final
