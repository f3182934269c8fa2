-- By what a service knows each child on the as-of date. Grain: one row per child and way.
with facts as (
    select * from {{ ref('int_child__known_facts') }}
),

in_force as (
    -- An end before the beginning is no end.
    select *
    from facts
    where
        case
            when ended_on >= began_on then ended_on > {{ as_of() }}
            else
                months_without_end is null
                or began_on > {{ as_of() }} - to_months(months_without_end)
        end
)

select
    person_id,
    way,
    max(began_on) as known_on,
    arg_max(source_id, began_on) as source_id
from in_force
group by person_id, way
