-- What: a decision of a person that links a record to a person who is not on file, or speaks of a record that no source
-- delivers. When it matters: the record stays unlinked. How to resolve: decide again with the person's number
-- (`kodomo link decide`), or take the decision back (`kodomo link undo`).
{{ config(severity='warn') }}

with

reviews as (
    select * from {{ ref('int_identity__reviews') }}
    where decision = 'link'
),

persons as (
    select atena_no as named_id from {{ ref('int_person__atena') }}
    union
    select 'preg-' || notification_no as named_id from {{ ref('int_person__pregnancies') }}
),

records as (
    select source_id, source_key from {{ ref('int_identity__external_records') }}
    union
    select 'resident_register' as source_id, atena_no as source_key from {{ ref('int_person__atena') }}
)

select reviews.source_id, reviews.source_key
from reviews
left join persons on reviews.person_id = persons.named_id
left join records on reviews.source_id = records.source_id and reviews.source_key = records.source_key
where persons.named_id is null or records.source_key is null
