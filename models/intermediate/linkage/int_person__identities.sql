-- The person behind each key of the sources without 宛名番号, and behind each pregnancy notification.
-- Grain: one row per source_id and source_key.
with

decisions as (
    select * from {{ ref('int_identity__decisions') }}
),

pregnancies as (
    select * from {{ ref('int_person__pregnancies') }}
)

select
    source_id,
    source_key,
    -- Until a person has decided, a pair under review is two people.
    case when status = 'linked' then person_id else source_id || '-' || source_key end as person_id,
    status = 'linked' as is_linked
from decisions
union all
select
    'pregnancy_notifications' as source_id,
    notification_no as source_key,
    person_id,
    is_born as is_linked
from pregnancies
