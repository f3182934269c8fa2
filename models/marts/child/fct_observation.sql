with observations as (
    select * from {{ ref('int_observations__unioned') }}
)

select
    person_id,
    observation_code,
    observed_on,
    ended_on,
    value,
    text_value,
    source_id,
    delivery_id,
    line_number
from observations
