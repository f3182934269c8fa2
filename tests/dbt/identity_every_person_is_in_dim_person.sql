-- What: an id that a number, an edge or a household stands for, without a row in dim_person. When it matters: a join drops
-- the person. How to resolve: int_person__persons lacks a source of people.
with

mentioned as (
    select person_id from {{ ref('int_person__atena') }}
    union
    select person_id from {{ ref('int_person__identities') }}
    union
    select from_person_id as person_id from {{ ref('fct_family_link') }}
    union
    select to_person_id as person_id from {{ ref('fct_family_link') }}
    union
    select person_id from {{ ref('int_household__members_as_of') }}
)

select mentioned.person_id
from mentioned
anti join {{ ref('dim_person') }} as persons on mentioned.person_id = persons.person_id
