-- What: in bi_area_summary no hidden count can be worked out from a line (a row or a column) and its total.
-- When it matters: the community partner sees this table, and a count of one is a person.
-- To resolve: raise the number of passes in bi_area_summary.
with

cells as (
    select * from {{ ref('bi_area_summary') }}
),

lines as (
    select difficulty_type, 'area ' || area_code as line, is_hidden, children from cells
    union all
    select difficulty_type, 'tier ' || tier as line, is_hidden, children from cells
)

select difficulty_type, line
from lines
group by all
having count(*) filter (where is_hidden) = 1

union all

select difficulty_type, area_code || ' ' || tier as line
from cells
where (is_hidden and children is not null) or children < {{ var('smallest_count') }}
