-- Ancestors of the children who are scored, by parent edges whether in force today or not.
-- Grain: person_id, ancestor_id, generation (1 = parent); the same ancestor may stand in two generations.
with recursive

subjects as (
    select person_id from {{ ref('int_person__subjects') }}
),

parents as (
    select distinct parent_id, child_id from {{ ref('int_family__parents') }}
    where valid_from <= {{ as_of() }}
),

ancestors as (
    select subjects.person_id, parents.parent_id as ancestor_id, 1 as generation
    from subjects
    inner join parents on subjects.person_id = parents.child_id
    union
    select ancestors.person_id, parents.parent_id as ancestor_id, ancestors.generation + 1 as generation
    from ancestors
    inner join parents on ancestors.ancestor_id = parents.child_id
    -- No family on file is deeper; a circle (contradictory notices) ends here too.
    where ancestors.generation < 12
)

select * from ancestors
where ancestor_id <> person_id
