-- Whether who is on the register is a resident, after the removal (消除) that a row may tell beside its own status.
-- Grain: one row per atena_no.
with

register as (
    select * from {{ ref('stg_citizens__resident_register') }}
),

-- Without the flag the day tells, unless a later registration made the person a resident again.
removals as (
    select
        atena_no,
        removal_reason_code,
        removed_on
    from register
    where coalesce(
        is_removed,
        removed_on <= {{ as_of() }} and coalesce(removed_on >= resident_since_on, true),
        false
    )
)

select
    register.atena_no,
    case
        when removals.atena_no is null or register.resident_status_code <> '1'
            then register.resident_status_code
        when removals.removal_reason_code = '20' then '2'
        when removals.removal_reason_code = '21' then '3'
        else '9'
    end as status_code,
    case
        when removals.atena_no is not null or register.resident_status_code <> '1'
            then coalesce(register.removed_on, register.moved_on)
        else register.moved_on
    end as changed_on,
    case
        when removals.atena_no is not null or register.resident_status_code <> '1'
            then coalesce(register.removal_reason_code, register.move_reason_code)
        else register.move_reason_code
    end as change_reason_code
from register
left join removals on register.atena_no = removals.atena_no
