-- Vertical chains: an ancestor up to three generations back with a case before the 18th birthday.
-- Grain: one row per child and ancestor: the shortest path, the smallest ids among equals; without a path where it
-- would name a person under a support measure.
with

people as (
    select person_id, birth_on, is_under_support_measure from {{ ref('int_person__persons') }}
),

subjects as (
    select person_id from {{ ref('int_person__subjects') }}
),

ancestors as (
    select person_id, ancestor_id, generation from {{ ref('int_family__ancestors') }}
    where generation <= {{ var('chain_generations') }}
),

-- No person under a support measure is named, neither at the end of a path nor on the way.
parents as (
    select distinct parents.parent_id, parents.child_id
    from {{ ref('int_family__parents') }} as parents
    inner join people on parents.parent_id = people.person_id
    where not people.is_under_support_measure and parents.valid_from <= {{ as_of() }}
),

-- The most recent case before the 18th birthday.
childhood_cases as (
    select
        cases.person_id,
        cases.case_source_id,
        cases.case_source_key,
        cases.case_on,
        cases.delivery_id,
        cases.line_number
    from {{ ref('int_family__cases') }} as cases
    inner join people on cases.person_id = people.person_id
    -- Under 18 as everywhere: by completed months.
    where {{ months_between('people.birth_on', 'cases.case_on') }} < {{ var('childhood_months') }}
    qualify row_number() over (
        partition by cases.person_id
        order by
            cases.case_on desc,
            cases.case_source_id asc,
            cases.case_source_key asc,
            cases.delivery_id asc,
            cases.line_number asc
    ) = 1
),

first_generation as (
    select
        subjects.person_id,
        parents.parent_id as ancestor_id,
        1 as generation,
        subjects.person_id || '>' || parents.parent_id as path
    from subjects
    inner join parents on subjects.person_id = parents.child_id
),

second_generation as (
    select
        first_generation.person_id,
        parents.parent_id as ancestor_id,
        2 as generation,
        min(first_generation.path || '>' || parents.parent_id) as path
    from first_generation
    inner join parents on first_generation.ancestor_id = parents.child_id
    group by first_generation.person_id, parents.parent_id
),

third_generation as (
    select
        second_generation.person_id,
        parents.parent_id as ancestor_id,
        3 as generation,
        min(second_generation.path || '>' || parents.parent_id) as path
    from second_generation
    inner join parents on second_generation.ancestor_id = parents.child_id
    group by second_generation.person_id, parents.parent_id
),

named as (
    select * from first_generation
    union all
    select * from second_generation
    union all
    select * from third_generation
),

paths as (
    select
        person_id,
        ancestor_id,
        min(generation) as steps,
        arg_min(path, generation) as path
    from named
    group by person_id, ancestor_id
),

-- They count all the same: a number shows no name and no place.
counted as (
    select
        person_id,
        ancestor_id,
        min(generation) as steps,
        list(generation order by generation) as generations
    from ancestors
    group by person_id, ancestor_id
)

select
    counted.person_id,
    'vertical' as chain_type,
    counted.ancestor_id as end_person_id,
    coalesce(paths.steps, counted.steps) as steps,
    paths.path,
    counted.generations,
    childhood_cases.case_source_id,
    childhood_cases.case_source_key,
    childhood_cases.case_on,
    childhood_cases.delivery_id,
    childhood_cases.line_number
from counted
inner join childhood_cases on counted.ancestor_id = childhood_cases.person_id
left join paths
    on counted.person_id = paths.person_id and counted.ancestor_id = paths.ancestor_id
