-- Everyone whom the data know, as of the as-of date. Grain: one row per person_id.
with

residents as (
    select * from {{ ref('int_person__residents') }}
),

atena as (
    select distinct person_id from {{ ref('int_person__atena') }}
),

pregnancies as (
    select * from {{ ref('int_person__pregnancies') }}
    where not is_born
),

identities as (
    select * from {{ ref('int_person__identities') }}
    where not is_linked and source_id <> 'pregnancy_notifications'
),

external_records as (
    select * from {{ ref('int_identity__external_records') }}
),

members as (
    select * from {{ ref('int_household__members_as_of') }}
),

measures as (
    select distinct person_id from {{ ref('int_person__support_measures') }}
    where is_in_force
),

mothers as (
    select
        pregnancies.person_id,
        pregnancies.due_on,
        residents.area_code
    from pregnancies
    left join residents on pregnancies.mother_id = residents.person_id
),

people as (
    select
        atena.person_id,
        residents.atena_no,
        residents.full_name_as_delivered as display_name,
        residents.full_name,
        residents.full_name_kana as kana,
        residents.birth_on,
        null::date as due_on,
        coalesce(residents.sex, '不明') as sex,
        residents.resident_from,
        residents.resident_until,
        coalesce(residents.is_resident, false) as is_resident,
        coalesce(residents.is_deceased, false) as is_deceased,
        residents.moved_from,
        residents.moved_to,
        residents.area_code,
        -- Also of people whom the register no longer has.
        measures.person_id is not null as is_under_support_measure,
        'register' as person_kind
    from atena
    left join residents on atena.person_id = residents.person_id
    left join measures on atena.person_id = measures.person_id
    union all
    select
        person_id,
        null as atena_no,
        null as display_name,
        null as full_name,
        null as kana,
        null as birth_on,
        due_on,
        '不明' as sex,
        null as resident_from,
        null as resident_until,
        false as is_resident,
        false as is_deceased,
        null as moved_from,
        null as moved_to,
        area_code,
        false as is_under_support_measure,
        'unborn' as person_kind
    from mothers
    union all
    select
        identities.person_id,
        null as atena_no,
        external_records.full_name_as_delivered as display_name,
        external_records.full_name,
        external_records.full_name_kana as kana,
        external_records.birth_on,
        null as due_on,
        external_records.sex,
        null as resident_from,
        null as resident_until,
        false as is_resident,
        false as is_deceased,
        null as moved_from,
        null as moved_to,
        null as area_code,
        false as is_under_support_measure,
        'external' as person_kind
    from identities
    inner join external_records
        on
            identities.source_id = external_records.source_id
            and identities.source_key = external_records.source_key
),

protected_households as (
    select distinct members.household_id
    from members
    inner join measures on members.person_id = measures.person_id
)

select
    people.*,
    case
        when people.due_on is not null
            then -1 - greatest(0, {{ months_between(as_of(), 'people.due_on') }})
        when people.birth_on <= {{ as_of() }} then {{ months_between('people.birth_on', as_of()) }}
    end as age_months,
    members.household_id,
    -- The children beside a protected person are protected with them.
    people.is_under_support_measure
    or (
        protected_households.household_id is not null
        and (
            people.due_on is not null
            or coalesce(
                {{ months_between('people.birth_on', as_of()) }} < {{ var('childhood_months') }}, false
            )
        )
    ) as is_dv_protected
from people
left join members on people.person_id = members.person_id
left join protected_households on members.household_id = protected_households.household_id
