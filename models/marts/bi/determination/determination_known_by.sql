-- Which services know the child, and since when. Grain: one row per child and way of knowing.
with

known_by as (
    select * from {{ ref('fct_known_by') }}
)

select
    person_id,
    way,
    way_label,
    holder_label,
    known_on
from known_by
order by sort_order
