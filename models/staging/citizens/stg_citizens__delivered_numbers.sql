-- Every 宛名番号 that any loaded delivery of the register or of the history of its households holds, in whatever state the
-- row is: also of a person whom later deliveries no longer have. Grain: one row per number.
{%- set extracts = ['resident_register', 'household_history'] %}
with

data_items as (
    select * from {{ source('run', 'data_items') }}
),

deliveries as (
    select * from {{ source('run', 'deliveries') }}
    where status = 'loaded'
),

-- A delivery is read only where the register of data items permits the number.
permitted as (
    select source_id from data_items
    where column_name = 'atena_no' and {{ is_approved_for("'database'") }}
),

delivered as (
    {% for source_id in extracts %}
        select delivered.atena_no
        from {{ source('raw', source_id) }} as delivered
        inner join deliveries on delivered.delivery_id = deliveries.delivery_id
        where '{{ source_id }}' in (select permitted.source_id from permitted)
        {{ 'union' if not loop.last }}
    {% endfor %}
),

numbers as (
    select distinct {{ normalise_id('delivered.atena_no', 15) }} as atena_no from delivered
)

select atena_no from numbers
where atena_no is not null
