-- On what days a service saw a child, by the seed sighting_kinds. Grain: one row per source row and kind.
with

observations as (
    select * from {{ ref('int_observations__all') }}
    where observed_on <= {{ as_of() }}
),

kinds as (
    select * from {{ ref('sighting_kinds') }}
),

persons as (
    select * from {{ ref('int_person__persons') }}
),

records as (
    select 'recorded_visits' as source_id, delivery_id, line_number, department
    from {{ ref('stg_child__recorded_visits') }}
    union all
    select 'recorded_status_checks' as source_id, delivery_id, line_number, department
    from {{ ref('stg_child__recorded_status_checks') }}
),

holders as (
    {{ source_holders() }}
),

-- One record may hold several facts of a kind, such as the teeth and the weight of one checkup.
sightings as (
    select
        observations.person_id,
        observations.observed_on as seen_on,
        kinds.kind,
        observations.source_id,
        observations.delivery_id,
        observations.line_number,
        min(kinds.label_ja) as kind_label,
        min(kinds.sort_order) as sort_order,
        min(kinds.observation_code) as observation_code
    from observations
    inner join kinds on observations.observation_code = kinds.observation_code
    inner join persons on observations.person_id = persons.person_id
    where
        (kinds.value_below is null or observations.value < kinds.value_below)
        -- Before its birth and after its childhood, no child was seen.
        and coalesce(observations.observed_on >= persons.birth_on, true)
        and coalesce(
            observations.observed_on < persons.birth_on + to_months({{ var('childhood_months') }}), true
        )
    group by all
)

select
    sightings.person_id,
    sightings.seen_on,
    sightings.kind,
    -- What staff record is seen by their department.
    coalesce(records.department, holders.holder) as holder,
    sightings.source_id,
    sightings.delivery_id,
    sightings.line_number,
    sightings.kind_label,
    sightings.observation_code,
    row_number() over (
        partition by sightings.person_id
        order by
            sightings.seen_on desc,
            sightings.sort_order asc,
            sightings.delivery_id desc,
            sightings.line_number desc
    ) = 1 as is_latest
from sightings
left join holders on sightings.source_id = holders.source_id
left join records
    on
        sightings.source_id = records.source_id
        and sightings.delivery_id = records.delivery_id
        and sightings.line_number = records.line_number
