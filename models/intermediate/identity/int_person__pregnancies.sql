-- Pregnancies notified by the as-of date, and the child each became. Grain: one row per notification.
with

notifications as (
    select * from {{ ref('stg_health__pregnancy_notifications') }}
    where notified_on <= {{ as_of() }}
),

register as (
    select
        register.atena_no,
        register.birth_on,
        atena.person_id
    from {{ ref('stg_citizens__resident_register') }} as register
    inner join {{ ref('int_person__atena') }} as atena on register.atena_no = atena.atena_no
    -- A child born after the as-of date is not born yet.
    where register.birth_on is null or register.birth_on <= {{ as_of() }}
),

atena as (
    select * from {{ ref('int_person__atena') }}
),

-- Who gave birth to whom, by notice or by the visit to the newborn.
births as (
    select mothers.person_id as mother_id, children.person_id as child_id
    from {{ ref('stg_citizens__parentage') }} as parentage
    inner join atena as mothers on parentage.mother_atena_no = mothers.atena_no
    inner join atena as children on parentage.child_atena_no = children.atena_no
    where {{ kind_means('parentage.notice_type', 'parentage_notice', 'names_birth_parents') }}
    union
    select mothers.person_id as mother_id, children.person_id as child_id
    from {{ ref('stg_health__newborn_visits') }} as visits
    inner join atena as mothers on visits.mother_atena_no = mothers.atena_no
    inner join atena as children on visits.child_atena_no = children.atena_no
),

-- Who has left the register for good was born all the same: the households, the notice and the visit tell.
tellings as (
    select atena_no, valid_from as told_on from {{ ref('stg_citizens__household_history') }}
    union all
    select child_atena_no as atena_no, notified_on as told_on from {{ ref('stg_citizens__parentage') }}
    union all
    select child_atena_no as atena_no, visited_on as told_on from {{ ref('stg_health__newborn_visits') }}
),

no_longer_registered as (
    select
        notifications.notification_no,
        atena.person_id
    from notifications
    inner join atena on notifications.newborn_atena_no = atena.atena_no
    anti join {{ ref('stg_citizens__resident_register') }} as entries
        on notifications.newborn_atena_no = entries.atena_no
    semi join tellings
        on notifications.newborn_atena_no = tellings.atena_no and tellings.told_on <= {{ as_of() }}
),

by_number as (
    select
        notifications.notification_no,
        register.person_id
    from notifications
    inner join register on notifications.newborn_atena_no = register.atena_no
    union all
    select * from no_longer_registered
),

open_notifications as (
    select
        notifications.*,
        mothers.person_id as mother_id
    from notifications
    inner join atena as mothers on notifications.mother_atena_no = mothers.atena_no
    anti join by_number on notifications.notification_no = by_number.notification_no
),

-- From the 22nd week (128 days before the due date) to three weeks after it.
candidates as (
    select
        open_notifications.notification_no,
        open_notifications.mother_id,
        open_notifications.due_on,
        register.person_id,
        row_number() over (
            partition by open_notifications.notification_no
            order by abs(register.birth_on - open_notifications.due_on), register.person_id
        ) as child_no,
        dense_rank() over (
            partition by open_notifications.mother_id, register.person_id
            order by
                abs(register.birth_on - open_notifications.due_on),
                open_notifications.notified_on desc,
                open_notifications.notification_no asc
        ) as notification_rank
    from open_notifications
    inner join births on open_notifications.mother_id = births.mother_id
    inner join register on births.child_id = register.person_id
    anti join by_number on register.person_id = by_number.person_id
    where
        register.birth_on
        between open_notifications.due_on - 128 and open_notifications.due_on + {{ var('overdue_days') }}
        and register.birth_on >= open_notifications.notified_on
),

-- The first notification takes the first child, the second (of twins) the second; one that finds every child taken
-- was made twice, and belongs to the nearest child.
by_birth as (
    select notification_no, person_id from candidates
    qualify row_number() over (
        partition by notification_no order by child_no = notification_rank desc, child_no
    ) = 1
),

born as (
    select * from by_number
    union all
    select * from by_birth
)

select
    notifications.notification_no,
    coalesce(born.person_id, 'preg-' || notifications.notification_no) as person_id,
    mothers.person_id as mother_id,
    notifications.notified_on,
    notifications.due_on,
    notifications.marital_status,
    born.person_id is not null as is_born,
    notifications.delivery_id,
    notifications.line_number
from notifications
left join atena as mothers on notifications.mother_atena_no = mothers.atena_no
left join born on notifications.notification_no = born.notification_no
-- A notification whose mother the register never had waits as a question, unless its child is in the register.
where mothers.person_id is not null or born.person_id is not null
