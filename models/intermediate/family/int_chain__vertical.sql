-- Vertical chains: an ancestor up to three generations back with a case before the 18th birthday.
-- Grain: one row per child and ancestor: the shortest path, the smallest ids among equals.
with

people as (
    select person_id, birth_on, is_under_support_measure from {{ ref('int_person__persons') }}
),

subjects as (
    select person_id from {{ ref('int_person__subjects') }}
),

-- Nobody under a support measure is named, neither at the end of a path nor on the way.
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
    where {{ months_between('people.birth_on', 'cases.case_on') }} < 216
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

generations as (
    select * from first_generation
    union all
    select * from second_generation
    union all
    select * from third_generation
)

select
    generations.person_id,
    'vertical' as chain_type,
    generations.ancestor_id as end_person_id,
    min(generations.generation) as steps,
    arg_min(generations.path, generations.generation) as path,
    list(generations.generation order by generations.generation) as generations,
    any_value(childhood_cases.case_source_id) as case_source_id,
    any_value(childhood_cases.case_source_key) as case_source_key,
    any_value(childhood_cases.case_on) as case_on,
    any_value(childhood_cases.delivery_id) as delivery_id,
    any_value(childhood_cases.line_number) as line_number
from generations
inner join childhood_cases on generations.ancestor_id = childhood_cases.person_id
where generations.ancestor_id <> generations.person_id
group by generations.person_id, generations.ancestor_id
