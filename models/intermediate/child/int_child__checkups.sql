-- What a child is expected to be seen at in its first years, and was: checkups by kind, and the newborn visit.
-- Grain: one row per child, kind and day.
with

checkups as (
    select * from {{ ref('stg_health__infant_checkups') }}
),

atena as (
    select * from {{ ref('int_person__atena') }}
),

observations as (
    select * from {{ ref('int_observations__all') }}
),

by_kind as (
    select
        child_atena_no,
        attended_on,
        unnest(string_split(checkup_type, '|')) as kind
    from checkups
    where attended_on is not null
),

attended as (
    select
        atena.person_id,
        by_kind.kind,
        by_kind.attended_on
    from by_kind
    inner join atena on by_kind.child_atena_no = atena.atena_no
    union
    select
        person_id,
        'newborn_visit' as kind,
        observed_on as attended_on
    from observations
    where observation_code = 'newborn_visit'
)

select
    person_id,
    kind,
    attended_on
from attended
where attended_on <= {{ as_of() }}
