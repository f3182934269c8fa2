-- The observations that each item rests on. Grain: one row per item and observation code.
with

items as (
    select item_code, observation_code from {{ ref('risk_items') }}
),

item_members as (
    select * from {{ ref('risk_item_members') }}
),

-- A combination rests on the facts of its members.
own_and_of_members as (
    select item_code, observation_code from items
    union
    select item_members.item_code, items.observation_code
    from item_members
    inner join items on item_members.member_item_code = items.item_code
)

select * from own_and_of_members
where observation_code is not null
