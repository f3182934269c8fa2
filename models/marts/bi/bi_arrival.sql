-- Children who came to live in the city and have not been seen since. Grain: one row per child.
with

children as (
    select * from {{ ref('bi_child') }}
),

arrivals as (
    select * from {{ ref('fct_arrival') }}
    where is_waiting
)

select
    {{ child_columns() }},
    children.is_dv_protected,
    arrivals.arrived_on,
    (arrivals.as_of_on - arrivals.arrived_on)::integer as days_since,
    arrivals.moved_from,
    arrivals.see_by_on,
    arrivals.is_late
from arrivals
inner join children on arrivals.person_id = children.person_id
