-- Chains of cases, each with its path. Grain: as_of_on, person_id, chain_type, end_person_id. Kept per as-of date.
-- The date's earlier rows go first, so that a date whose last chain has gone keeps none.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook="{% if is_incremental() %}delete from {{ this }} where as_of_on = {{ as_of() }}{% endif %}"
) }}

with

chains as (
    select * from {{ ref('int_chain__vertical') }}
    union all by name
    select * from {{ ref('int_chain__horizontal') }}
)

select
    {{ as_of() }} as as_of_on,
    person_id,
    chain_type,
    end_person_id,
    steps,
    path,
    case_source_id,
    case_on,
    case_source_key
from chains
-- No person under a support measure is named: such a chain counts in the value of its item, and stands nowhere.
where path is not null
