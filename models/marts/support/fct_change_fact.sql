-- Facts on file that may move a child, by the seed change_observations; separations of parents and chains beside them.
-- Grain: one row per child, kind of change and fact_key.
with

observations as (
    select * from {{ ref('fct_observation') }}
    where observed_on <= {{ as_of() }}
),

barred_observations as (
    select observation_code
    from {{ ref('int_observations__barred') }}
    where purpose = 'determination'
),

kinds as (
    select * from {{ ref('change_observations') }}
),

members as (
    select * from {{ ref('int_risk__scope_members') }}
),

separations as (
    select * from {{ ref('int_child__separations') }}
),

chains as (
    select * from {{ ref('fct_chain') }}
    where as_of_on = {{ as_of() }}
),

children as (
    select person_id from {{ ref('dim_child') }}
),

observed as (
    -- Two parents of one notice are one fact, and so are two records of one kind and day.
    select
        members.person_id,
        kinds.change_kind,
        observations.observation_code || '|' || observations.observed_on as fact_key,
        observations.observation_code as subject,
        observations.observed_on as happened_on,
        observations.text_value,
        observations.source_id,
        observations.delivery_id,
        observations.line_number
    from observations
    anti join barred_observations on observations.observation_code = barred_observations.observation_code
    inner join kinds on observations.observation_code = kinds.observation_code
    inner join members on observations.person_id = members.member_id and kinds.scope = members.scope
    where kinds.value_from is null or observations.value >= kinds.value_from
    qualify
        row_number() over (
            partition by members.person_id, kinds.change_kind, fact_key
            order by observations.delivery_id desc, observations.line_number desc
        ) = 1
),

separated as (
    select
        person_id,
        'parent_separation' as change_kind,
        parent_id || '|' || separated_on as fact_key,
        parent_role as subject,
        separated_on as happened_on,
        'household_history' as source_id
    from separations
),

chained as (
    select
        person_id,
        'new_chain' as change_kind,
        chain_type || '|' || end_person_id as fact_key,
        chain_type as subject,
        case_on as happened_on
    from chains
),

final as (
    select * from observed
    union all by name
    select * from separated
    union all by name
    select * from chained
)

select
    final.person_id,
    final.change_kind,
    final.fact_key,
    final.subject,
    final.happened_on,
    final.text_value,
    final.source_id,
    final.delivery_id,
    final.line_number
from final
semi join children on final.person_id = children.person_id
