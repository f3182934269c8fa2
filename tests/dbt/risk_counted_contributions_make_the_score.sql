-- What it is: the counted contributions of each child, version and difficulty type against the score.
-- When it matters: always; a score that its rows do not explain may not be shown to anybody.
-- How to resolve: compare int_risk__contributions and int_risk__scores for the rows listed.
with

counted as (
    select
        as_of_on,
        model_version,
        difficulty_type,
        person_id,
        sum(coefficient) as total
    from {{ ref('fct_risk_contribution') }}
    where is_counted
    group by as_of_on, model_version, difficulty_type, person_id
),

scores as (
    select * from {{ ref('fct_risk_score') }}
)

select
    coalesce(scores.as_of_on, counted.as_of_on) as as_of_on,
    coalesce(scores.model_version, counted.model_version) as model_version,
    coalesce(scores.difficulty_type, counted.difficulty_type) as difficulty_type,
    coalesce(scores.person_id, counted.person_id) as person_id
from scores
full outer join counted
    on
        scores.as_of_on = counted.as_of_on
        and scores.model_version = counted.model_version
        and scores.difficulty_type = counted.difficulty_type
        and scores.person_id = counted.person_id
where scores.score is distinct from coalesce(counted.total, 0)
