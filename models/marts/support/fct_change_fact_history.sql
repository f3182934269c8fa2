-- Which batch first knew each fact that may move a child. Rows of other as-of dates stay.
-- Grain: one row per as-of date, child, kind of change and fact_key.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook='{{ replace_rows_of_this_date() }}'
    )
}}

with

facts as (
    select * from {{ ref('fct_change_fact') }}
),

known_before as (
    {% if is_incremental() %}
        select * from {{ this }}
        where as_of_on < {{ as_of() }}
    {% else %}
        select
            null::varchar as person_id,
            null::varchar as change_kind,
            null::varchar as fact_key
        where false
    {% endif %}
)

select
    {{ as_of() }} as as_of_on,
    facts.person_id,
    facts.change_kind,
    facts.fact_key
from facts
anti join known_before
    on
        facts.person_id = known_before.person_id
        and facts.change_kind = known_before.change_kind
        and facts.fact_key = known_before.fact_key
