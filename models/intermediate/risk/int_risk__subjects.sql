with children as (
    select * from {{ ref('int_child__profiles') }}
)

select
    person_id,
    age_months
from children
