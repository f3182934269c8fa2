with children as (
    select * from {{ ref('dim_child') }}
)

select
    person_id,
    age_months
from children
