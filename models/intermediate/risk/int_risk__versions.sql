with versions as (
    select * from {{ ref('risk_model_versions') }}
),

tiers as (
    select * from {{ ref('risk_tiers') }}
),

coefficients as (
    select * from {{ ref('risk_coefficients') }}
),

scored as (
    select model_version
    from versions
    where status in ('active', 'trial')
),

difficulties as (
    select
        model_version,
        difficulty_type
    from tiers
    union
    select
        model_version,
        difficulty_type
    from coefficients
)

select
    difficulties.model_version,
    difficulties.difficulty_type
from difficulties
inner join scored on difficulties.model_version = scored.model_version
