-- Every id under which people have seen a person, and the person it stands for today: a number of the register, a
-- pregnancy that has since become a child, a record of a holder without 宛名番号. Grain: one row per known_id.
with

atena as (
    select * from {{ ref('int_person__atena') }}
),

pregnancies as (
    select * from {{ ref('int_person__pregnancies') }}
),

identities as (
    select * from {{ ref('int_person__identities') }}
)

select
    atena_no as known_id,
    person_id
from atena
union
select
    'preg-' || notification_no as known_id,
    person_id
from pregnancies
union
select
    source_id || '-' || source_key as known_id,
    person_id
from identities
where source_id <> 'pregnancy_notifications'
