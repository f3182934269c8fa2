-- Marriages by notice, each with its end. Grain: one row per husband, wife and start.
-- Of unknown date, a marriage came before every other notice of the couple, and a divorce holds by the as-of date.
with

atena as (
    select * from {{ ref('int_person__atena') }}
),

notices as (
    select
        husbands.person_id as husband_id,
        wives.person_id as wife_id,
        case
            when {{ kind_means('notices.notice_type', 'marriage_notice', 'ends_marriage') }}
                then coalesce(notices.notified_on, {{ as_of() }})
            else notices.notified_on
        end as notified_on,
        {{ kind_means('notices.notice_type', 'marriage_notice', 'ends_marriage') }} as is_divorce
    from {{ ref('stg_citizens__marriages') }} as notices
    inner join atena as husbands on notices.husband_atena_no = husbands.atena_no
    inner join atena as wives on notices.wife_atena_no = wives.atena_no
    where
        husbands.person_id <> wives.person_id
        and (
            {{ has_code('notices.notice_type', 'marriage') }}
            or {{ kind_means('notices.notice_type', 'marriage_notice', 'ends_marriage') }}
        )
),

ordered as (
    select
        *,
        lag(is_divorce) over (
            partition by husband_id, wife_id order by notified_on nulls first, is_divorce
        ) as is_previous_divorce,
        min(case when is_divorce then notified_on end) over (
            partition by husband_id, wife_id order by notified_on nulls first, is_divorce
            rows between current row and unbounded following
        ) as next_divorce_on
    from notices
)

select distinct
    husband_id,
    wife_id,
    coalesce(notified_on, next_divorce_on, {{ as_of() }}) as valid_from,
    next_divorce_on as valid_to
from ordered
where not is_divorce and coalesce(is_previous_divorce, true)
union
-- A marriage of which only the end is on file is known from that day.
select
    husband_id,
    wife_id,
    notified_on as valid_from,
    notified_on as valid_to
from ordered
where is_divorce and coalesce(is_previous_divorce, true)
