-- Every 宛名番号 that the register has, or ever had: only these are people. Grain: one row per number.
with

register as (
    select atena_no from {{ ref('stg_citizens__resident_register') }}
),

household_history as (
    select atena_no from {{ ref('stg_citizens__household_history') }}
),

delivered_numbers as (
    select atena_no from {{ ref('stg_citizens__delivered_numbers') }}
),

numbers as (
    select atena_no from register
    union
    select atena_no from household_history
    union
    select atena_no from delivered_numbers
)

select atena_no from numbers
where atena_no is not null
