-- Every 宛名番号 of the register, and the person it stands for. A number that another extract names and the register
-- never had is a question (int_quality__unknown_numbers), not a person. Grain: one row per number.
with

numbers as (
    select * from {{ ref('int_person__register_numbers') }}
),

withdrawn as (
    select * from {{ ref('int_person__withdrawn') }}
),

merged_numbers as (
    select * from {{ ref('int_person__merges') }}
    where status = 'merged'
)

select
    numbers.atena_no,
    coalesce(merged_numbers.person_id, numbers.atena_no) as person_id,
    merged_numbers.person_id is not null as is_merged
from numbers
-- A number whose every row was taken back was never a person's, whichever record mentions it.
anti join withdrawn on numbers.atena_no = withdrawn.atena_no
left join merged_numbers on numbers.atena_no = merged_numbers.atena_no
