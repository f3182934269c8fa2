-- What it is: scores of this run whose person is no subject of it.
-- When it matters: always; whoever is over 18 or has left the city is not scored.
-- How to resolve: see whether dim_child changed within the run; a run replaces all rows of its own date.
select
    scores.person_id,
    scores.model_version,
    scores.difficulty_type
from {{ ref('fct_risk_score') }} as scores
anti join {{ ref('dim_child') }} as children on scores.person_id = children.person_id
where scores.as_of_on = {{ as_of() }}
