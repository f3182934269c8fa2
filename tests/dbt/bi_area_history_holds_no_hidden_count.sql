-- What: the history of the area summary holds no count that was hidden, and none that is small.
-- When it matters: the trend of an area is printed for its meeting, and a count of one is a person.
-- To resolve: a count that was hidden must be empty in bi_area_summary itself.
select
    as_of_on,
    area_code,
    tier
from {{ ref('fct_area_history') }}
where (is_hidden and children is not null) or children < {{ var('smallest_count') }}
