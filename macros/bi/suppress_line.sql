{% macro suppress_line(relation, line, place) -%}
    {#- One pass of complementary suppression: in each line (a row or a column, its total included) where one hidden
        cell could be worked out from the others, hide the smallest cell still shown.
        A line gives a hidden cell away when it is the only one, or when its hidden cells, the total being shown, sum
        to less than `smallest_count`. ``line``: the column that names the line; ``place``: the one that names the
        cell within it. -#}
    select
        difficulty_type,
        area_code,
        tier,
        children,
        is_hidden
        or (
            count(*) filter (where is_hidden) over lines > 0
            and (
                count(*) filter (where is_hidden) over lines = 1
                or (
                    coalesce(sum(children) filter (where is_hidden) over lines, 0) < {{ var('smallest_count') }}
                    and not bool_or(is_hidden and {{ place }} = 'total') over lines
                )
            )
            and row_number() over (
                partition by difficulty_type, {{ line }} order by is_hidden, children, {{ place }}
            ) = 1
        ) as is_hidden
    from {{ relation }}
    window lines as (partition by difficulty_type, {{ line }})
{%- endmacro %}
