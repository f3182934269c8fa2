-- What is decided about each record of the sources without 宛名番号: people's decisions first, then the machine's.
-- Grain: one row per source_id and source_key.
with

records as (
    select source_id, source_key from {{ ref('int_identity__external_records') }}
),

reviews as (
    select * from {{ ref('int_identity__reviews') }}
),

-- The pair that was linked, else the best one to review.
predictions as (
    select * from {{ ref('int_identity__predictions') }}
    where status in ('linked', 'review')
    qualify row_number() over (
        partition by source_id, source_key order by status = 'linked' desc, match_weight desc, person_id asc
    ) = 1
),

by_people as (
    select
        source_id,
        source_key,
        case when decision = 'link' then person_id end as person_id,
        decision,
        decided_by,
        decided_on,
        reason
    from reviews
    -- A decision that two are not the same, about one pair only, leaves the others to the machine.
    where decision = 'link' or person_id is null
)

select
    records.source_id,
    records.source_key,
    case
        when by_people.source_key is null then predictions.person_id
        else by_people.person_id
    end as person_id,
    case
        when by_people.source_key is not null then 'review'
        when predictions.person_id is not null then predictions.method
        else 'none'
    end as method,
    case
        when by_people.decision = 'link' then 1.0
        when by_people.source_key is not null then 0.0
        else coalesce(predictions.probability, 0.0)
    end::decimal(9, 6) as probability,
    case
        when by_people.decision = 'link' then 'linked'
        when by_people.source_key is not null then 'unlinked'
        else coalesce(predictions.status, 'unlinked')
    end as status,
    by_people.decided_by,
    by_people.decided_on,
    by_people.reason
from records
left join by_people
    on records.source_id = by_people.source_id and records.source_key = by_people.source_key
left join predictions
    on records.source_id = predictions.source_id and records.source_key = predictions.source_key
