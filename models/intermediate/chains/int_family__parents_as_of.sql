-- Mother and father of each child who is scored, on the as-of date: by birth before by adoption, the surest origin
-- first, then the latest notice. Grain: one row per person.
with

subjects as (
    select person_id from {{ ref('int_person__subjects') }}
),

parents as (
    select * from {{ ref('int_family__parents') }}
    where valid_from <= {{ as_of() }} and coalesce(valid_to > {{ as_of() }}, true)
),

ranked as (
    select
        parents.child_id,
        parents.parent_id,
        parents.parent_role,
        row_number() over (
            partition by parents.child_id, parents.parent_role
            order by
                parents.link_kind = 'biological' desc,
                parents.evidence_rank,
                parents.notified_on desc nulls last,
                parents.parent_id asc
        ) as role_rank
    from parents
    semi join subjects on parents.child_id = subjects.person_id
)

select
    child_id as person_id,
    max(parent_id) filter (where parent_role = 'mother') as mother_id,
    max(parent_id) filter (where parent_role = 'father') as father_id
from ranked
where role_rank = 1
group by child_id
