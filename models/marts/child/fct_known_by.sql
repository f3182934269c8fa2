with known as (
    select * from {{ ref('int_child__known_by') }}
),

ways as (
    select * from {{ ref('known_ways') }}
),

holders as (
    {{ source_holders() }}
)

select
    {{ as_of() }} as as_of_on,
    known.person_id,
    known.way,
    ways.label_ja as way_label,
    known.known_on,
    known.source_id,
    holders.holder,
    holders.holder_label,
    ways.observation_code,
    ways.sort_order
from known
inner join ways on known.way = ways.way
-- What the meeting recorded is held where the council's cases are.
left join holders on coalesce(known.source_id, 'council_cases') = holders.source_id
