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

-- A person named in a decision may since have been merged into one known before, or have been born.
persons as (
    select atena_no as named_id, person_id from {{ ref('int_person__atena') }}
    union all
    select 'preg-' || notification_no as named_id, person_id from {{ ref('int_person__pregnancies') }}
),

by_people as (
    select
        reviews.source_id,
        reviews.source_key,
        case when reviews.decision = 'link' then persons.person_id end as person_id,
        -- A decision for a person who is not on file makes no link: tests/dbt lists it.
        reviews.decision = 'link' and persons.person_id is not null as is_link,
        reviews.decided_by,
        reviews.decided_on,
        reviews.reason
    from reviews
    left join persons on reviews.person_id = persons.named_id
    -- A decision that two are not the same, about one pair only, leaves the others to the machine.
    where reviews.decision = 'link' or reviews.person_id is null
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
        when by_people.is_link then 1.0
        when by_people.source_key is not null then 0.0
        else coalesce(predictions.probability, 0.0)
    end::decimal(9, 6) as probability,
    case
        when by_people.is_link then 'linked'
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
