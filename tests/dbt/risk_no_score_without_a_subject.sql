-- What it is: scores of this run whose person is no subject of it, or of an age that the difficulty type does not
-- concern.
-- When it matters: always; a person over 18, or who has left the city, is not scored.
-- How to resolve: see whether dim_child changed within the run; a run replaces all rows of its own date.
with

scores as (
    select * from {{ ref('fct_risk_score') }}
    where as_of_on = {{ as_of() }}
),

children as (
    select * from {{ ref('dim_child') }}
),

targets as (
    select * from {{ ref('risk_targets') }}
)

select
    scores.person_id,
    scores.model_version,
    scores.difficulty_type
from scores
left join children on scores.person_id = children.person_id
left join targets
    on
        scores.model_version = targets.model_version
        and scores.difficulty_type = targets.difficulty_type
group by scores.person_id, scores.model_version, scores.difficulty_type
having
    count(children.person_id) = 0
    or (
        count(targets.model_version) > 0
        and not coalesce(bool_or({{ applies_at_age('targets', 'children.age_months') }}), false)
    )
