with subjects as (
    select * from {{ ref('int_risk__subjects') }}
),

children as (
    select * from {{ ref('int_child__profiles') }}
),

coverage as (
    {{ source_coverage() }}
),

item_sources as (
    select * from {{ ref('int_risk__item_sources') }}
),

roster_members as (
    select * from {{ ref('int_risk__roster_members') }}
),

faults as (
    {{ source_faults() }}
),

sources as (
    select
        coverage.*,
        faults.fault
    from coverage
    semi join item_sources on coverage.source_id = item_sources.source_id
    left join faults on coverage.source_id = faults.source_id
),

school_year as (
    select {{ school_year_begins_on('as_of_on') }} as begins_on
    from {{ source('run', 'run_parameters') }}
),

aged as (
    select
        subjects.person_id,
        subjects.age_months,
        case
            when subjects.age_months < 0 then subjects.age_months
            else greatest(0, {{ months_between('children.birth_on', 'school_year.begins_on') }})
        end as school_year_age_months
    from subjects
    left join children on subjects.person_id = children.person_id
    cross join school_year
),

belonging as (
    -- an event source tells of everybody; who is of another age is known not to belong on a roster
    select
        aged.person_id,
        sources.source_id,
        sources.is_roster,
        sources.fault
    from aged
    inner join sources
        on
            not sources.is_roster
            or (
                sources.is_at_school_year
                and coalesce(aged.school_year_age_months >= sources.age_from_months, true)
                and coalesce(aged.school_year_age_months < sources.age_to_months, true)
            )
            or (
                not sources.is_at_school_year
                and coalesce(aged.age_months >= sources.age_from_months, true)
                and coalesce(aged.age_months < sources.age_to_months, true)
            )
)

select
    belonging.person_id,
    belonging.source_id,
    coalesce(belonging.fault, 'not_on_roster') as reason_code
from belonging
left join roster_members
    on belonging.person_id = roster_members.person_id and belonging.source_id = roster_members.source_id
where belonging.fault is not null or (belonging.is_roster and roster_members.person_id is null)
