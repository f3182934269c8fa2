-- Children who by the data may be entitled to a benefit, or their family for them, and have none on file; who of them was
-- left out, and why. Grain: one row per child and benefit.
with

children as (
    select * from {{ ref('dim_child') }}
    where not is_unborn
),

rules as (
    select * from {{ ref('unclaimed_rules') }}
),

conditions as (
    select * from {{ ref('int_child__benefit_conditions') }}
),

benefits as (
    select * from {{ ref('int_child__benefits') }}
),

households as (
    select * from {{ ref('dim_household') }}
    where is_institution
),

persons as (
    select * from {{ ref('int_person__persons') }}
),

records as (
    select * from {{ ref('int_child__benefit_checks') }}
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

entitled as (
    select
        aged.person_id,
        aged.household_id,
        aged.area_code,
        aged.birth_on,
        conditions.since_on,
        rules.*
    from aged
    inner join conditions on aged.person_id = conditions.person_id
    inner join rules
        on
            conditions.condition = rules.condition
            and coalesce(
                conditions.since_on > {{ as_of() }} - to_months(rules.condition_months), true
            )
            and coalesce(aged.age_months >= rules.age_from_months, true)
            and coalesce(aged.age_months < rules.age_to_months, true)
            and coalesce(aged.april_age_months >= rules.april_age_from_months, true)
            and coalesce(aged.april_age_months < rules.april_age_to_months, true)
),

without_benefit as (
    select entitled.*
    from entitled
    anti join benefits
        on entitled.person_id = benefits.person_id and entitled.benefit = benefits.benefit
),

closed as (
    select distinct
        person_id,
        benefit
    from records
    where
        not is_open
        and checked_on > {{ as_of() }} - to_months({{ var('benefit_check_months') }})
)

select
    {{ as_of() }} as as_of_on,
    without_benefit.person_id,
    without_benefit.benefit,
    case
        when
            greatest(persons.resident_from, without_benefit.birth_on)
            > {{ as_of() }} - to_months({{ var('benefit_claim_months') }})
            then 'recent'
        when households.household_id is not null then 'institution'
        when closed.person_id is not null then 'checked'
        when faults.source_id is not null then 'source_missing'
        else 'candidate'
    end as standing,
    without_benefit.condition,
    without_benefit.since_on,
    without_benefit.department,
    without_benefit.certainty,
    without_benefit.area_code
from without_benefit
inner join persons on without_benefit.person_id = persons.person_id
left join households on without_benefit.household_id = households.household_id
left join closed
    on without_benefit.person_id = closed.person_id and without_benefit.benefit = closed.benefit
left join faults on without_benefit.source_id = faults.source_id
