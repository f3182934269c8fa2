-- What it is: the records of each loaded delivery, read against loaded and rejected.
-- When it matters: always; a record that is neither loaded nor rejected is lost.
-- How to resolve: hold the publication, and compare the original (kept by its hash) with raw and the rejects.
with deliveries as (
    select * from {{ ref('fct_delivery') }}
)

select delivery_id
from deliveries
where status = 'loaded' and rows_read <> rows_loaded + rows_rejected
