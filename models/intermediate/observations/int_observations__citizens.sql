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

support_measures as (
    select * from {{ ref('stg_citizens__support_measures') }}
),

household_spells as (
    select
        atena.person_id,
        'household_history' as source_id,
        household_history.valid_from as observed_on,
        cast(null as date) as ended_on,
        household_history.*
    from household_history
    inner join atena on household_history.atena_no = atena.atena_no
),

spouses as (
    select
        marriages.husband_atena_no as atena_no,
        marriages.*
    from marriages
    union all
    select
        marriages.wife_atena_no as atena_no,
        marriages.*
    from marriages
),

marriage_notices as (
    select
        atena.person_id,
        'marriages' as source_id,
        spouses.notified_on as observed_on,
        cast(null as date) as ended_on,
        spouses.*
    from spouses
    inner join atena on spouses.atena_no = atena.atena_no
),

parentage_notices as (
    select
        atena.person_id,
        'parentage' as source_id,
        parentage.notified_on as observed_on,
        cast(null as date) as ended_on,
        parentage.*
    from parentage
    inner join atena on parentage.child_atena_no = atena.atena_no
),

insurances as (
    select
        atena.person_id,
        'national_health_insurance' as source_id,
        national_health_insurance.qualified_on as observed_on,
        national_health_insurance.disqualified_on as ended_on,
        national_health_insurance.*
    from national_health_insurance
    inner join atena on national_health_insurance.atena_no = atena.atena_no
),

residents as (
    select
        atena.person_id,
        'resident_register' as source_id,
        resident_register.resident_since_on as observed_on,
        cast(null as date) as ended_on,
        resident_register.*
    from resident_register
    inner join atena on resident_register.atena_no = atena.atena_no
),

measures as (
    select
        atena.person_id,
        'support_measures' as source_id,
        support_measures.measure_from as observed_on,
        support_measures.measure_until as ended_on,
        support_measures.*
    from support_measures
    inner join atena on support_measures.atena_no = atena.atena_no
),

final as (
    {{ observation('household_move', 'household_spells', when="move_reason_code in ('10', '16')") }}
    union all
    {{ observation('household_change', 'household_spells', when="move_reason_code = '17'") }}
    union all
    {{ observation(
        'head_changed_to_other_relation', 'household_spells',
        when="relation_code_1 = '99' or relation_code_2 = '20'",
        ended_on='valid_to'
    ) }}
    union all
    {{ observation(
        'divorce', 'marriage_notices',
        when=has_code('notice_type', 'divorce'),
        text_value='notice_type_label'
    ) }}
    union all
    {{ observation(
        'marriage', 'marriage_notices',
        when=has_code('notice_type', 'marriage'),
        text_value='notice_type_label'
    ) }}
    union all
    {{ observation(
        'acknowledged', 'parentage_notices',
        when=kind_means('notice_type', 'parentage_notice', 'is_recognition'),
        text_value='notice_type_label'
    ) }}
    union all
    {{ observation(
        'adopted', 'parentage_notices',
        when=kind_means('notice_type', 'parentage_notice', 'is_adoption'),
        text_value='notice_type_label'
    ) }}
    union all
    {{ observation(
        'adoption_ended', 'parentage_notices',
        when=kind_means('notice_type', 'parentage_notice', 'ends_adoption'),
        text_value='notice_type_label'
    ) }}
    union all
    {{ observation('health_insurance', 'insurances', text_value='certificate_type_label') }}
    union all
    {{ observation(
        'health_insurance_restricted', 'insurances',
        when=kind_means('certificate_type', 'insurance_certificate', 'is_restricted'),
        text_value='certificate_type_label'
    ) }}
    union all
    {{ observation('foreign_resident', 'residents', when="resident_kind_code = '2'") }}
    union all
    {{ observation(
        'support_measure', 'residents',
        when=names_kind('support_measure', 'support_measure_class'),
        text_value='support_measure_label',
        observed_on='support_measure_from',
        ended_on='support_measure_until'
    ) }}
    union all
    {{ observation(
        'support_measure', 'measures',
        when=names_kind('measure_class', 'support_measure_class'),
        text_value='measure_class_label'
    ) }}
)

select * from final
