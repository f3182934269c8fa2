-- What moved a child since the last batch and since the last decision, as determined.
-- Grain: one row per child, date compared with, kind of change and what moved.
with

changes as (
    select * from {{ ref('fct_change') }}
    where as_of_on = {{ as_of() }}
)

select
    person_id,
    change_kind,
    kind_label,
    subject_label,
    from_label,
    to_label,
    case when observation_code is not null then to_value end as value_label,
    happened_on,
    why,
    direction,
    compared_on,
    is_since_batch,
    is_since_decision
from changes
order by compared_on desc, sort_order asc, happened_on desc, subject_label asc
