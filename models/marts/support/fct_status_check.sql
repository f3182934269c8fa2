-- Where each child up to the end of primary school stands towards what is expected at its age, and who has to be looked
-- for. Rows of other as-of dates stay. Grain: one row per as-of date, child and criterion.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook='{{ replace_rows_of_this_date() }}'
    )
}}

with

children as (
    select * from {{ ref('dim_child') }}
    where not is_unborn
),

rules as (
    select * from {{ ref('status_check_rules') }}
),

criteria as (
    select * from {{ ref('status_check_criteria') }}
),

standings as (
    select * from {{ ref('status_check_standings') }}
),

checkups as (
    select * from {{ ref('int_child__checkups') }}
),

facilities as (
    select * from {{ ref('int_child__facilities') }}
),

sightings as (
    select * from {{ ref('fct_sighting') }}
    where is_latest
),

records as (
    select * from {{ ref('int_child__status_checks') }}
),

arrivals as (
    select * from {{ ref('fct_arrival') }}
),

coverage as (
    {{ source_coverage() }}
),

faults as (
    {{ source_faults() }}
),

aged as (
    select
        *,
        {{ months_between('birth_on', school_year_begins_on(as_of())) }} as april_age_months
    from children
),

expected as (
    select
        aged.person_id,
        aged.age_months,
        aged.area_code,
        rules.*
    from aged
    inner join rules
        on
            coalesce(aged.age_months >= rules.age_from_months, true)
            and coalesce(aged.age_months < rules.age_to_months, true)
            and coalesce(aged.april_age_months >= rules.april_age_from_months, true)
            and coalesce(aged.april_age_months < rules.april_age_to_months, true)
),

-- Of a kindergarten's children the school records may tell, too.
present as (
    select person_id, kind from checkups
    union
    select
        person_id,
        case facility_kind when '学校' then 'school' else 'nursery' end as kind
    from facilities
),

met as (
    select distinct
        expected.person_id,
        expected.rule_no
    from expected
    inner join present
        on
            expected.person_id = present.person_id
            and list_contains(string_split(expected.expected_kinds, '|'), present.kind)
),

closed as (
    select distinct person_id
    from records
    where
        not is_open
        and checked_on > {{ as_of() }} - to_months({{ var('status_check_months') }})
),

newcomers as (
    select person_id from arrivals
    where is_waiting and not is_late
),

judged as (
    select
        expected.*,
        sightings.seen_on as last_seen_on,
        sightings.holder as last_seen_by,
        sightings.kind_label as last_seen_kind,
        case
            when expected.expected_kinds is null then 'not_due'
            when met.person_id is not null then 'as_expected'
            when sightings.seen_on > {{ as_of() }} - to_months(expected.seen_within_months) then 'seen'
            when closed.person_id is not null then 'checked'
            when newcomers.person_id is not null then 'arrived'
            when faults.source_id is not null then 'source_missing'
            else 'candidate'
        end as standing
    from expected
    left join met on expected.person_id = met.person_id and expected.rule_no = met.rule_no
    left join sightings on expected.person_id = sightings.person_id
    left join closed on expected.person_id = closed.person_id
    left join newcomers on expected.person_id = newcomers.person_id
    left join faults on expected.source_id = faults.source_id
)

select
    {{ as_of() }} as as_of_on,
    judged.person_id,
    judged.criterion,
    judged.rule_no,
    judged.standing,
    -- A child counts once in the return: where it has to be looked for, else where it was left out.
    row_number() over (
        partition by judged.person_id
        order by standings.sort_order desc, criteria.sort_order asc
    ) = 1 as is_main,
    judged.expected_label_ja as expected_label,
    judged.seen_within_months,
    judged.age_months::integer as age_months,
    judged.area_code,
    judged.last_seen_on,
    judged.last_seen_by,
    judged.last_seen_kind
from judged
inner join criteria on judged.criterion = criteria.criterion
inner join standings on judged.standing = standings.standing
