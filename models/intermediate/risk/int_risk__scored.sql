with subjects as (
    select * from {{ ref('int_risk__subjects') }}
),

versions as (
    select * from {{ ref('int_risk__versions') }}
),

targets as (
    select * from {{ ref('risk_targets') }}
)

-- A child in two ranges of one type is scored once.
select distinct
    subjects.person_id,
    subjects.age_months,
    versions.model_version,
    versions.difficulty_type
from subjects
cross join versions
left join targets
    on
        versions.model_version = targets.model_version
        and versions.difficulty_type = targets.difficulty_type
where targets.model_version is null or {{ applies_at_age('targets', 'subjects.age_months') }}
