-- The lists of the yearly check with what came of them: of this batch, of this year's date and of last year's.
-- Grain: one row per list, child and criterion.
with

checks as (
    select
        * exclude (as_of_on),
        as_of_on as list_on
    from {{ ref('fct_status_check') }}
    where as_of_on <= {{ as_of() }}
),

records as (
    select * from {{ ref('int_child__status_checks') }}
),

sightings as (
    select * from {{ ref('fct_sighting') }}
),

leavings as (
    select * from {{ ref('int_child__leavings') }}
),

-- A year of it begins with the day of the list; where no batch is of that day, the first one after it gives the list.
dates as (
    select
        list_on,
        year(list_on - to_months({{ var('status_check_month') - 1 }})) as check_year,
        year({{ as_of() }} - to_months({{ var('status_check_month') - 1 }})) as this_year
    from checks
    group by list_on
),

lists as (
    select
        'now' as list_kind,
        list_on
    from dates
    where list_on = {{ as_of() }}
    union all
    select
        'this_year' as list_kind,
        min(list_on) as list_on
    from dates
    where check_year = this_year
    having count(*) > 0
    union all
    select
        'last_year' as list_kind,
        min(list_on) as list_on
    from dates
    where check_year = this_year - 1
    having count(*) > 0
),

listed as (
    select
        lists.list_kind,
        (lists.list_on + to_months({{ var('status_check_months') }}))::date as counts_until_on,
        checks.*
    from lists
    inner join checks on lists.list_on = checks.list_on
),

candidates as (
    select distinct
        list_kind,
        list_on,
        counts_until_on,
        person_id
    from listed
    where standing = 'candidate'
),

recorded as (
    select
        candidates.list_kind,
        candidates.person_id,
        records.result,
        records.checked_on as result_on,
        case when records.is_open then 4 else 1 end as sort_order,
        true as is_recorded
    from candidates
    inner join records
        on
            candidates.person_id = records.person_id
            and candidates.list_on <= records.checked_on
            and candidates.counts_until_on > records.checked_on
    qualify row_number() over (
        partition by candidates.list_kind, candidates.person_id
        order by
            records.checked_on desc,
            records.is_open asc,
            records.delivery_id desc,
            records.line_number desc
    ) = 1
),

seen as (
    select
        candidates.list_kind,
        candidates.person_id,
        'seen' as result,
        min(sightings.seen_on) as result_on,
        2 as sort_order,
        false as is_recorded
    from candidates
    inner join sightings
        on
            candidates.person_id = sightings.person_id
            and candidates.list_on < sightings.seen_on
            and candidates.counts_until_on > sightings.seen_on
    group by candidates.list_kind, candidates.person_id
),

departed as (
    select
        candidates.list_kind,
        candidates.person_id,
        leavings.kind as result,
        leavings.left_on as result_on,
        3 as sort_order,
        false as is_recorded
    from candidates
    inner join leavings
        on
            candidates.person_id = leavings.person_id
            and candidates.list_on <= leavings.left_on
            and candidates.counts_until_on > leavings.left_on
    where leavings.kind in ('moved', 'died')
),

results as (
    select * from recorded
    union all
    select * from seen
    union all
    select * from departed
),

-- What staff closed stands; else what the deliveries have shown since; else what staff are doing.
first_results as (
    select * from results
    qualify row_number() over (partition by list_kind, person_id order by sort_order) = 1
)

select
    {{ as_of() }} as as_of_on,
    listed.list_kind,
    listed.list_on,
    listed.counts_until_on,
    listed.person_id,
    listed.criterion,
    listed.standing,
    listed.is_main,
    listed.expected_label,
    listed.seen_within_months,
    listed.age_months,
    listed.area_code,
    listed.last_seen_on,
    listed.last_seen_by,
    listed.last_seen_kind,
    case when listed.standing = 'candidate' then first_results.result end as result,
    case when listed.standing = 'candidate' then first_results.result_on end as result_on,
    listed.standing = 'candidate' and coalesce(first_results.is_recorded, false) as is_recorded,
    listed.standing = 'candidate'
    and (
        first_results.result is null
        or {{ kind_means('first_results.result', 'status_check_result', 'is_open') }}
    ) as is_open
from listed
left join first_results
    on listed.list_kind = first_results.list_kind and listed.person_id = first_results.person_id
