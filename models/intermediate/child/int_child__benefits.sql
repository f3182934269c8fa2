-- What benefits are on file for a child on the as-of date: drawn, or of school aid applied for.
-- Grain: one row per child and benefit.
with

observations as (
    select * from {{ ref('int_observations__all') }}
    where observation_code in ('child_allowance', 'child_rearing_allowance')
),

school_aid as (
    select * from {{ ref('stg_education__school_aid') }}
),

atena as (
    select * from {{ ref('int_person__atena') }}
),

pupils as (
    select * from {{ ref('int_person__pupil_numbers') }}
),

drawn as (
    select
        person_id,
        observation_code as benefit
    from observations
    where observed_on <= {{ as_of() }} and coalesce(ended_on > {{ as_of() }}, true)
),

-- A refusal is an application, too. The list of a school year is complete in summer.
applied as (
    select
        coalesce(atena.person_id, pupils.person_id) as person_id,
        'school_aid' as benefit
    from school_aid
    left join atena on school_aid.atena_no = atena.atena_no
    left join pupils on school_aid.school_person_no = pupils.school_person_no
    where school_aid.fiscal_year >= year({{ school_year_begins_on('(' ~ as_of() ~ ' - to_months(3))') }})
)

select person_id, benefit from drawn
union
select person_id, benefit from applied
where person_id is not null
