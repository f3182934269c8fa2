-- The genogram: every edge known on the as-of date, over or not.
-- Grain: from_person_id, to_person_id, link_type, link_kind, household_id, valid_from.
-- parent_of: from the parent to the child. partner_of: from the husband to the wife. shared_household: one row per
-- pair, household and common period, from the smaller id to the greater.
{{ config(materialized='view') }}
with

parents as (
    select * from {{ ref('int_family__parents') }}
),

partners as (
    select * from {{ ref('int_family__partners') }}
),

shared_households as (
    select * from {{ ref('int_family__shared_households') }}
)

select
    parent_id as from_person_id,
    child_id as to_person_id,
    'parent_of' as link_type,
    valid_from,
    valid_to,
    origin,
    confidence,
    link_kind,
    null::varchar as household_id,
    parent_role
from parents
union all
select
    husband_id as from_person_id,
    wife_id as to_person_id,
    'partner_of' as link_type,
    valid_from,
    valid_to,
    origin,
    confidence,
    link_kind,
    null as household_id,
    null as parent_role
from partners
union all
select
    person_id as from_person_id,
    other_person_id as to_person_id,
    'shared_household' as link_type,
    valid_from,
    valid_to,
    '世帯' as origin,
    1.0 as confidence,
    'household' as link_kind,
    household_id,
    null as parent_role
from shared_households
