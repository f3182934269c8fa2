-- The pupil behind each number that the extracts of schools carry: the same number on the roster, else the only one that
-- differs in leading zeros, case and strokes alone. Grain: one row per number that is a pupil's.
{%- for model in staged_models() %}
-- depends_on: {{ ref(model) }}
{%- endfor %}
with

numbers as (
    select
        null::varchar as school_person_no,
        null::varchar as school_person_no_match
    where false
    {%- for source in staged_sources() %}
        {%- for column in source.pupil_numbers %}
            union
            select
                {{ column }} as school_person_no,
                {{ column }}_match as school_person_no_match
            from {{ ref(source.model) }}
        {%- endfor %}
    {%- endfor %}
),

identities as (
    select * from {{ ref('int_person__identities') }}
    where source_id = 'school_enrolment'
),

same_form as (
    select
        numbers.school_person_no_match,
        min(identities.person_id) as person_id
    from identities
    inner join numbers on identities.source_key = numbers.school_person_no
    group by numbers.school_person_no_match
    -- Two pupils whose numbers differ in zeros only are distinguished by them.
    having count(distinct identities.person_id) = 1
)

select
    numbers.school_person_no,
    coalesce(identities.person_id, same_form.person_id) as person_id
from numbers
left join identities on numbers.school_person_no = identities.source_key
left join same_form on numbers.school_person_no_match = same_form.school_person_no_match
where coalesce(identities.person_id, same_form.person_id) is not null
