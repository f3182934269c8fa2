-- The facts behind what counts for a child, in words: one row per child, item and observation of the child or a relative.
-- What the register does not approve for BI is not among them. Chains have their own way.
with

children as (
    select * from {{ ref('bi_child') }}
),

contributions as (
    select * from {{ ref('bi_contribution') }}
),

item_observations as (
    select * from {{ ref('int_risk__item_observations') }}
),

barred_observations as (
    select observation_code
    from {{ ref('int_observations__barred') }}
    where purpose = 'bi'
),

observations as (
    select * from {{ ref('fct_observation') }}
    where observed_on <= {{ as_of() }}
),

observation_codes as (
    select * from {{ ref('observation_codes') }}
),

relatives as (
    select person_id, relative_id, relation_ja, household_id, is_dv_protected
    from {{ ref('int_family__relatives') }}
),

protected_households as (
    select household_id from {{ ref('dim_household') }}
    where is_dv_protected
),

deliveries as (
    select delivery_id, delivered_on from {{ ref('fct_delivery') }}
),

holders as (
    {{ source_holders() }}
),

evidence as (
    select distinct
        person_id,
        item_code,
        unnest(string_split(evidence, '、')) as place
    from contributions
    where evidence is not null
),

places as (
    select
        person_id,
        item_code,
        regexp_extract(place, '^(.*):[0-9]+$', 1) as delivery_id,
        try_cast(regexp_extract(place, ':([0-9]+)$', 1) as bigint) as line_number
    from evidence
),

facts as (
    select distinct
        places.person_id,
        places.item_code,
        observations.person_id as fact_person_id,
        observations.observation_code,
        observations.observed_on,
        observations.ended_on,
        observations.value,
        observations.text_value,
        observations.source_id,
        observations.delivery_id,
        observations.line_number
    from places
    inner join observations
        on places.delivery_id = observations.delivery_id and places.line_number = observations.line_number
    inner join item_observations
        on
            places.item_code = item_observations.item_code
            and observations.observation_code = item_observations.observation_code
    anti join barred_observations on observations.observation_code = barred_observations.observation_code
)

select
    {{ child_columns() }},
    -- Nor does another child's sheet show the facts of a protected person's home.
    children.is_dv_protected
    or coalesce(relatives.is_dv_protected, false)
    or protected_households.household_id is not null as is_dv_protected,
    facts.item_code,
    facts.fact_person_id,
    case when facts.fact_person_id = facts.person_id then '本人' else relatives.relation_ja end
        as fact_relation_label,
    facts.observation_code,
    coalesce(observation_codes.label_ja, facts.observation_code) as fact_label,
    facts.observed_on,
    facts.ended_on,
    coalesce(
        facts.text_value,
        regexp_replace(round(facts.value, 1)::varchar, '\.0+$', '') || coalesce(observation_codes.unit_ja, '')
    ) as fact_value_label,
    facts.source_id,
    coalesce(holders.source_label, facts.source_id) as source_label,
    coalesce(holders.holder, 'child') as holder,
    coalesce(holders.holder_label, '—') as holder_label,
    deliveries.delivered_on,
    facts.delivery_id,
    facts.line_number
from facts
inner join children on facts.person_id = children.person_id
left join relatives on facts.person_id = relatives.person_id and facts.fact_person_id = relatives.relative_id
left join protected_households on relatives.household_id = protected_households.household_id
left join observation_codes on facts.observation_code = observation_codes.observation_code
left join deliveries on facts.delivery_id = deliveries.delivery_id
left join holders on facts.source_id = holders.source_id
where facts.fact_person_id = facts.person_id or relatives.relative_id is not null
