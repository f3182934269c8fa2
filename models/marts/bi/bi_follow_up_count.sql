-- The lists of children who must not be lost sight of, as numbers of the whole city. Grain: one row per list. A number
-- under five is not shown, nor one that leaves less than five of the list that it is a part of.
with

counts as (
    select * from {{ ref('fct_follow_up_count') }}
),

lists as (
    select * from {{ ref('follow_up_lists') }}
),

judged as (
    select
        counts.as_of_on,
        counts.list,
        lists.label_ja,
        lists.sort_order,
        counts.children,
        counts.children < {{ var('smallest_count') }}
        or coalesce(wholes.children - counts.children < {{ var('smallest_count') }}, false) as is_hidden
    from counts
    inner join lists on counts.list = lists.list
    left join counts as wholes on lists.part_of = wholes.list
)

select
    as_of_on,
    list,
    label_ja as list_label,
    sort_order as list_order,
    case when not is_hidden then children end as children,
    -- Aligned on the right, so that the column sorts by its number.
    case when is_hidden then '秘匿' else lpad(format('{:,}', children), 9, ' ') end as children_label
from judged
