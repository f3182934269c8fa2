-- All support measures (支援措置), from the register's columns, from the extract of measures, and as heard by
-- telephone before either has them. Grain: one row per delivered record that tells of a measure.
with

atena as (
    select * from {{ ref('int_person__atena') }}
),

records as (
    select
        'resident_register' as source_id,
        atena_no,
        support_measure as measure_class,
        support_measure_from as measure_from,
        support_measure_until as measure_until,
        delivery_id,
        line_number
    from {{ ref('stg_citizens__resident_register') }}
    where {{ is_support_measure('support_measure', 'support_measure_from', 'support_measure_until') }}
    union all
    select
        'support_measures' as source_id,
        atena_no,
        measure_class,
        measure_from,
        measure_until,
        delivery_id,
        line_number
    from {{ ref('stg_citizens__support_measures') }}
    -- A person listed without class and date is protected all the same.
    where
        {{ is_support_measure('measure_class', 'measure_from', 'measure_until') }}
        or coalesce(measure_class, 'unknown') = 'unknown'
    union all
    select
        'told_support_measures' as source_id,
        atena_no,
        null as measure_class,
        measure_from,
        measure_until,
        delivery_id,
        line_number
    from {{ ref('stg_citizens__told_support_measures') }}
)

select
    -- Under two numbers a person is protected if either is.
    atena.person_id,
    records.source_id,
    records.measure_class,
    records.measure_from,
    records.measure_until,
    -- The last day is a day of the measure: an end of protection a day too early may reveal an address.
    coalesce(records.measure_from <= {{ as_of() }}, true)
    and coalesce(records.measure_until >= {{ as_of() }}, true) as is_in_force,
    records.delivery_id,
    records.line_number
from records
inner join atena on records.atena_no = atena.atena_no
