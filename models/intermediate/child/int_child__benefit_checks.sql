-- What staff recorded of telling families about a benefit. Grain: one row per record.
with

records as (
    select * from {{ ref('stg_child__recorded_benefit_checks') }}
),

known_ids as (
    select * from {{ ref('int_person__known_ids') }}
)

select
    known_ids.person_id,
    records.benefit,
    records.checked_on,
    records.check_result as result,
    {{ kind_means('records.check_result', 'benefit_check_result', 'is_open') }} as is_open,
    records.department,
    records.delivery_id,
    records.line_number
from records
inner join known_ids on records.subject_no = known_ids.known_id
where
    records.checked_on <= {{ as_of() }}
    and {{ names_kind('records.check_result', 'benefit_check_result') }}
