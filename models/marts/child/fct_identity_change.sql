-- Who a number or a record turned out to be, and every time that changed: merges, splits and links that moved.
-- Grain: source_id, source_key, change_no. Rows are added, never changed; a run that changes nothing adds none.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns'
) }}

with

run_parameters as (
    select * from {{ source('run', 'run_parameters') }}
),

known_keys as (
    select
        'resident_register' as source_id,
        atena_no as source_key,
        atena_no as own_id,
        case when is_merged then person_id end as linked_id,
        'merge' as method
    from {{ ref('int_person__atena') }}
    union all
    select
        source_id,
        source_key,
        source_id || '-' || source_key as own_id,
        case when status = 'linked' then person_id end as linked_id,
        method
    from {{ ref('int_identity__decisions') }}
),

withdrawn as (
    select * from {{ ref('int_person__withdrawn') }}
),

recorded as (
    {% if is_incremental() %}
        select source_id, source_key, to_person_id, change_no, change from {{ this }}
        qualify row_number() over (partition by source_id, source_key order by change_no desc) = 1
    {% else %}
        select
            null::varchar as source_id,
            null::varchar as source_key,
            null::varchar as to_person_id,
            null::integer as change_no,
            null::varchar as change
        where false
    {% endif %}
),

compared as (
    select
        coalesce(known_keys.source_id, recorded.source_id) as source_id,
        coalesce(known_keys.source_key, recorded.source_key) as source_key,
        known_keys.own_id,
        known_keys.linked_id,
        known_keys.method,
        recorded.to_person_id as recorded_id,
        coalesce(recorded.change_no, 0) + 1 as change_no,
        -- A key that is its own person, and was never anything else, is no news.
        known_keys.source_key is null as is_gone,
        coalesce(recorded.change = 'gone', false) as was_gone
    from known_keys
    full join recorded
        on known_keys.source_id = recorded.source_id and known_keys.source_key = recorded.source_key
    where known_keys.linked_id is not null or recorded.source_key is not null
),

-- A number whose rows the register took back is gone with all that hung on it, also where it was never anything but
-- its own person.
all_compared as (
    select * from compared
    union all
    select
        'resident_register' as source_id,
        withdrawn.atena_no as source_key,
        withdrawn.atena_no as own_id,
        null as linked_id,
        'withdrawn' as method,
        null as recorded_id,
        1 as change_no,
        true as is_gone,
        false as was_gone
    from withdrawn
    anti join recorded
        on recorded.source_id = 'resident_register' and withdrawn.atena_no = recorded.source_key
),

changes as (
    select
        *,
        case
            when is_gone and not was_gone then 'gone'
            when is_gone then null
            when linked_id is null and recorded_id is not null and recorded_id <> own_id then 'split'
            when linked_id is null then null
            when recorded_id is null or recorded_id = own_id
                then case when source_id = 'resident_register' then 'merged' else 'linked' end
            when linked_id <> recorded_id then 'moved'
        end as change
    from all_compared
)

select
    changes.source_id,
    changes.source_key,
    changes.change_no,
    changes.change,
    coalesce(changes.recorded_id, changes.own_id) as from_person_id,
    case when changes.change <> 'gone' then coalesce(changes.linked_id, changes.own_id) end as to_person_id,
    changes.method,
    run_parameters.run_id,
    run_parameters.as_of_on,
    run_parameters.started_at as recorded_at
from changes
cross join run_parameters
where changes.change is not null
