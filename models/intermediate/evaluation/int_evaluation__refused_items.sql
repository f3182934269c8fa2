-- Items that may not be evidence for a difficulty type, because they are made from its cases: an observation that is
-- an outcome itself, or is read from the same columns as one; for outcomes that come from case records, whatever comes
-- from those records, of anybody; chains, which are made from cases; combinations with such a member.
-- Grain: one row per difficulty type and item.
with items as (
    select * from {{ ref('risk_items') }}
),

members as (
    select * from {{ ref('risk_item_members') }}
),

outcomes as (
    select * from {{ ref('risk_outcomes') }}
),

observation_codes as (
    select * from {{ ref('observation_codes') }}
),

case_codes as (
    select observation_code
    from observation_codes
    where source_id in ('council_cases', 'guidance_centre_cases', 'child_consultations')
),

difficulties as (
    select
        outcomes.difficulty_type,
        bool_or(case_codes.observation_code is not null) as is_from_cases
    from outcomes
    left join case_codes on outcomes.observation_code = case_codes.observation_code
    group by outcomes.difficulty_type
),

columns_read as (
    {{ observation_columns() }}
),

telling_columns as (
    -- what an observation is read from, its dates apart
    select *
    from columns_read
    where not (ends_with(column_name, '_on') or ends_with(column_name, '_month'))
),

kin_codes as (
    -- an outcome itself, and what is read from the same columns as an outcome
    select
        difficulty_type,
        observation_code
    from outcomes
    union
    select
        outcomes.difficulty_type,
        others.observation_code
    from outcomes
    inner join telling_columns on outcomes.observation_code = telling_columns.observation_code
    inner join telling_columns as others
        on telling_columns.source_id = others.source_id and telling_columns.column_name = others.column_name
),

outcome_items as (
    select
        kin_codes.difficulty_type,
        items.item_code,
        'outcome' as reason
    from items
    inner join kin_codes on items.observation_code = kin_codes.observation_code
    where items.kind = 'observation'
),

case_items as (
    select
        difficulties.difficulty_type,
        items.item_code,
        'cases' as reason
    from items
    inner join difficulties on difficulties.is_from_cases
    left join case_codes on items.observation_code = case_codes.observation_code
    where items.kind = 'chain' or (items.kind = 'observation' and case_codes.observation_code is not null)
),

direct as (
    select * from outcome_items
    union all
    select * from case_items
),

indirect as (
    select
        direct.difficulty_type,
        members.item_code,
        'member' as reason
    from direct
    inner join members on direct.item_code = members.member_item_code
),

reasons as (
    select * from direct
    union all
    select * from indirect
)

select
    difficulty_type,
    item_code,
    string_agg(distinct reason, ', ' order by reason) as reasons
from reasons
group by difficulty_type, item_code
