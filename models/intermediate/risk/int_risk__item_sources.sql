with items as (
    select * from {{ ref('risk_items') }}
    where kind = 'observation'
),

observation_codes as (
    select * from {{ ref('observation_codes') }}
),

barred_observations as (
    select observation_code
    from {{ ref('int_observations__barred') }}
    where purpose = 'determination'
)

select
    items.item_code,
    observation_codes.source_id,
    barred_observations.observation_code is not null as is_barred
from items
left join observation_codes on items.observation_code = observation_codes.observation_code
left join barred_observations on items.observation_code = barred_observations.observation_code
