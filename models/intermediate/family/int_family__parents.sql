-- Parent edges, weighed: notices stand as they are; weaker evidence fills what they leave open (one father and one
-- mother by birth), and what contradicts them goes to int_family__contradictions.
-- Grain: one row per parent, child, kind and start.
with

evidence as (
    select
        *,
        min(evidence_rank) over (partition by parent_id, child_id) as pair_rank
    from {{ ref('int_family__parent_evidence') }}
    where parent_id <> child_id and valid_from <= {{ as_of() }}
),

people as (
    select person_id, birth_on from {{ ref('int_person__residents') }}
),

-- A pair that a notice knows needs nothing weaker; among weaker evidence the strongest speaks for the pair.
pairs as (
    select evidence.*
    from evidence
    left join people as parents on evidence.parent_id = parents.person_id
    left join people as children on evidence.child_id = children.person_id
    where
        evidence.evidence_rank = evidence.pair_rank
        and (
            evidence.evidence_rank = 1
            or coalesce(parents.birth_on + interval 12 year <= children.birth_on, true)
        )
    qualify
        evidence.evidence_rank = 1
        or row_number() over (
            partition by evidence.parent_id, evidence.child_id
            order by
                evidence.confidence desc,
                evidence.valid_from asc,
                evidence.link_kind asc,
                evidence.parent_role asc
        ) = 1
),

by_notice as (
    select * from pairs
    where evidence_rank = 1
),

weaker as (
    select
        *,
        row_number() over (
            partition by child_id, parent_role
            order by evidence_rank asc, confidence desc, valid_from asc, parent_id asc
        ) as role_rank
    from pairs
    where evidence_rank > 1 and link_kind = 'biological'
),

notice_roles as (
    select
        child_id,
        parent_role,
        count(distinct parent_id) as parent_count
    from by_notice
    where link_kind = 'biological'
    group by child_id, parent_role
),

notice_totals as (
    select child_id, sum(parent_count) as parent_count from notice_roles
    group by child_id
),

filling as (
    select weaker.*
    from weaker
    left join notice_totals on weaker.child_id = notice_totals.child_id
    anti join notice_roles
        on weaker.child_id = notice_roles.child_id and weaker.parent_role = notice_roles.parent_role
    where
        weaker.role_rank <= case weaker.parent_role when 'parent' then 2 else 1 end
        and coalesce(notice_totals.parent_count < 2, true)
),

-- Never more than two by birth: a parent of unknown sex takes the place that is left.
filled as (
    select filling.*
    from filling
    left join notice_totals on filling.child_id = notice_totals.child_id
    qualify
        row_number() over (
            partition by filling.child_id
            order by
                filling.parent_role = 'parent' asc,
                filling.evidence_rank asc,
                filling.confidence desc,
                filling.valid_from asc,
                filling.parent_id asc
        ) <= 2 - coalesce(notice_totals.parent_count, 0)
),

weaker_adoptive as (
    select * from pairs
    where evidence_rank > 1 and link_kind = 'adoptive'
),

accepted as (
    select * from by_notice
    union all by name
    select * exclude (role_rank) from filled
    union all by name
    select * from weaker_adoptive
)

select
    parent_id,
    child_id,
    parent_role,
    link_kind,
    valid_from,
    valid_to,
    origin,
    confidence,
    evidence_rank,
    notified_on
from accepted
