-- Numbers that are no people: a home, a school or another body that draws allowances, is a guardian or stands in the
-- register under a number like those of people. Grain: one row per person_id.
with

atena as (
    select * from {{ ref('int_person__atena') }}
),

residents as (
    select * from {{ ref('int_person__residents') }}
),

words as (
    select * from {{ ref('body_words') }}
),

carers as (
    select
        recipient_atena_no as carer_atena_no,
        child_atena_no
    from {{ ref('stg_child__child_allowance') }}
    union
    select
        recipient_atena_no as carer_atena_no,
        child_atena_no
    from {{ ref('stg_child__child_rearing_allowance') }}
    union
    select
        guardian_atena_no as carer_atena_no,
        atena_no as child_atena_no
    from {{ ref('stg_education__school_enrolment') }}
),

-- A resident has a birth date or a sex; a body has no birth date, lives nowhere, and says in its name what it is.
by_name as (
    select distinct residents.person_id
    from residents
    inner join words on contains(residents.full_name, words.word)
    where residents.birth_on is null and (residents.sex = '不明' or not residents.is_resident)
),

-- Like a household of more than 10 people, who draws allowances for, or is the guardian of, more than 10 children is an
-- institution.
by_children as (
    select atena.person_id
    from carers
    inner join atena on carers.carer_atena_no = atena.atena_no
    group by atena.person_id
    having count(distinct carers.child_atena_no) > 10
)

select person_id from by_name
union
select person_id from by_children
