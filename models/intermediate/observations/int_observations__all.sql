-- Every fact on file; fct_observation shows its rows. Grain: one row per source row and observation code.
{{ config(materialized='replaced_table') }}

with citizens as (
    select * from {{ ref('int_observations__citizens') }}
),

child as (
    select * from {{ ref('int_observations__child') }}
),

health as (
    select * from {{ ref('int_observations__health') }}
),

welfare as (
    select * from {{ ref('int_observations__welfare') }}
),

elderly as (
    select * from {{ ref('int_observations__elderly') }}
),

education as (
    select * from {{ ref('int_observations__education') }}
),

guidance_centre as (
    select * from {{ ref('int_observations__guidance_centre') }}
),

social_council as (
    select * from {{ ref('int_observations__social_council') }}
),

declared as (
    select * from {{ ref('int_observations__declared') }}
),

unioned as (
    select * from citizens
    union all
    select * from child
    union all
    select * from health
    union all
    select * from welfare
    union all
    select * from elderly
    union all
    select * from education
    union all
    select * from guidance_centre
    union all
    select * from social_council
    union all
    select * from declared
)

select
    person_id,
    observation_code,
    observed_on,
    ended_on,
    value,
    text_value,
    source_id,
    delivery_id,
    line_number
from unioned
