-- People of whom it cannot be ruled out that their place is still hidden elsewhere: a measure was in force at any time for
-- them or, of children who left, for a member of their family. Grain: one row per person.
with

measures as (
    select * from {{ ref('int_person__support_measures') }}
),

families as (
    select * from {{ ref('int_child__leaver_families') }}
)

select person_id from measures
union
select families.person_id
from families
inner join measures on families.relative_id = measures.person_id
