-- Children with an open council case or a consultation within the last 12 months. Grain: one row per person.
with

atena as (
    select * from {{ ref('int_person__atena') }}
)

select atena.person_id
from {{ ref('stg_child__council_cases') }} as cases
inner join atena on cases.child_atena_no = atena.atena_no
where cases.registered_on <= {{ as_of() }} and coalesce(cases.closed_on > {{ as_of() }}, true)
union
select atena.person_id
from {{ ref('stg_child__child_consultations') }} as consultations
inner join atena on consultations.child_atena_no = atena.atena_no
where
    consultations.received_on <= {{ as_of() }}
    and consultations.received_on > {{ as_of() }} - interval 12 month
