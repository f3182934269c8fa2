-- Every 宛名番号 that any extract knows, and the person it stands for.
{%- set mentions = [
    ('stg_citizens__resident_register', 'atena_no'),
    ('stg_citizens__household_history', 'atena_no'),
    ('stg_citizens__parentage', 'child_atena_no'),
    ('stg_citizens__parentage', 'father_atena_no'),
    ('stg_citizens__parentage', 'mother_atena_no'),
    ('stg_citizens__marriages', 'husband_atena_no'),
    ('stg_citizens__marriages', 'wife_atena_no'),
    ('stg_citizens__national_health_insurance', 'atena_no'),
    ('stg_child__child_allowance', 'recipient_atena_no'),
    ('stg_child__child_allowance', 'child_atena_no'),
    ('stg_child__child_rearing_allowance', 'recipient_atena_no'),
    ('stg_child__child_rearing_allowance', 'child_atena_no'),
    ('stg_child__nursery_enrolment', 'child_atena_no'),
    ('stg_child__nursery_attendance', 'child_atena_no'),
    ('stg_child__child_consultations', 'child_atena_no'),
    ('stg_child__council_cases', 'child_atena_no'),
    ('stg_child__dv_consultations', 'client_atena_no'),
    ('stg_health__pregnancy_notifications', 'mother_atena_no'),
    ('stg_health__newborn_visits', 'child_atena_no'),
    ('stg_health__newborn_visits', 'mother_atena_no'),
    ('stg_health__infant_checkups', 'child_atena_no'),
    ('stg_health__vaccinations', 'atena_no'),
    ('stg_welfare__public_assistance', 'atena_no'),
    ('stg_welfare__disability_certificates', 'atena_no'),
    ('stg_welfare__livelihood_consultations', 'atena_no'),
    ('stg_elderly__care_certifications', 'atena_no'),
] + declared_numbers() %}
with

mentions as (
    {% for model, column in mentions %}
        select {{ column }} as atena_no from {{ ref(model) }}
        {{ 'union' if not loop.last }}
    {% endfor %}
),

withdrawn as (
    select * from {{ ref('int_person__withdrawn') }}
),

merged_numbers as (
    select * from {{ ref('int_person__merges') }}
    where status = 'merged'
)

select
    mentions.atena_no,
    coalesce(merged_numbers.person_id, mentions.atena_no) as person_id,
    merged_numbers.person_id is not null as is_merged
from mentions
-- A number whose every row was taken back was never anybody's, whoever mentions it.
anti join withdrawn on mentions.atena_no = withdrawn.atena_no
left join merged_numbers on mentions.atena_no = merged_numbers.atena_no
where mentions.atena_no is not null
