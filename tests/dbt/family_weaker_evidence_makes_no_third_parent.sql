-- What: a child with more than two parents by birth of whom one is not from a notice. When it matters: chains and scopes
-- count a stranger as family. How to resolve: see the child in int_family__contradictions and int_family__parent_evidence.
select child_id
from {{ ref('int_family__parents') }}
where link_kind = 'biological'
group by child_id
having count(distinct parent_id) > 2 and bool_or(evidence_rank > 1)
