-- The areas of the city. Grain: one row per area.
select area_code, area_name_ja, sort_order
from {{ ref('areas') }}
