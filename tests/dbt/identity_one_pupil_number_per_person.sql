-- What: two pupil numbers that the machine linked to one person. When it matters: one number is another child's.
-- How to resolve: look at both with `kodomo link review`, and decide.
select person_id
from {{ ref('fct_link_decision') }}
where source_id = 'school_enrolment' and status = 'linked' and method = 'splink'
group by person_id
having count(*) > 1
