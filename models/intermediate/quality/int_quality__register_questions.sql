-- What the register of residents leaves open and a steward has to ask, per delivery. Grain: one row per delivery,
-- question, column and detail.
with

register as (
    select * from {{ ref('stg_citizens__resident_register') }}
),

areas as (
    select * from {{ ref('int_person__areas') }}
),

measures as (
    select
        delivery_id,
        'resident_register' as source_id,
        'measure_without_class' as question,
        'support_measure' as column_name,
        '' as detail
    from register
    where
        coalesce(support_measure_from, support_measure_until) is not null
        and not {{ names_kind('support_measure', 'support_measure_class') }}
        and coalesce(support_measure <> 'unknown', true)
    union all
    select
        delivery_id,
        'support_measures' as source_id,
        'measure_without_class' as question,
        'measure_class' as column_name,
        '' as detail
    from {{ ref('stg_citizens__support_measures') }}
    where
        not {{ names_kind('measure_class', 'support_measure_class') }}
        and coalesce(measure_class <> 'unknown', true)
),

-- Of those who live here. A name of a place identifies no person.
places as (
    select
        register.delivery_id,
        'resident_register' as source_id,
        'unknown_area' as question,
        'former_municipality' as column_name,
        coalesce(register.former_municipality, '') as detail
    from register
    left join areas on register.atena_no = areas.atena_no
    where areas.atena_no is null and register.resident_status_code = '1'
),

questions as (
    select * from measures
    union all
    select * from places
)

select
    delivery_id,
    source_id,
    question,
    column_name,
    detail,
    cast(count(*) as bigint) as row_count
from questions
group by all
