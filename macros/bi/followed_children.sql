{% macro followed_children(people, children='children', persons='persons', areas='areas') -%}
    {#- SELECT child_columns, is_dv_protected: the people of a CTE (person_id, area_code, department) as bi_child shows them;
        of who is no child of the city any more the name, and the area and the department that the CTE has. Reads the CTEs
        children (bi_child), persons (dim_person), once_protected and areas. -#}
    select
        {{ child_columns(children) }},
        {{ children }}.is_dv_protected,
        true as is_child_now
    from {{ children }}
    semi join {{ people }} on {{ children }}.person_id = {{ people }}.person_id
    union all
    select
        {{ as_of() }} as as_of_on,
        {{ people }}.person_id,
        coalesce(nullif({{ persons }}.display_name, ''), '{{ var('nameless') }}')
        || coalesce('（' || {{ japanese_date(persons ~ '.birth_on') }} || '生）', '') as child_label,
        coalesce(nullif({{ persons }}.display_name, ''), '{{ var('nameless') }}') as display_name,
        '（市を離れた）' as age_label,
        '（市を離れた）' as age_band,
        99 as age_band_order,
        {{ people }}.area_code,
        coalesce({{ areas }}.area_name_ja, '（地区不明）') as area_name,
        coalesce({{ areas }}.sort_order, 99) as area_order,
        '（在籍なし）' as school_name,
        '（市を離れた）' as support_status_label,
        case {{ people }}.department
            when 'child' then '|child|'
            else '|child|' || {{ people }}.department || '|'
        end as departments,
        coalesce({{ persons }}.is_dv_protected, true)
        or once_protected.person_id is not null as is_dv_protected,
        false as is_child_now
    from {{ people }}
    anti join {{ children }} on {{ people }}.person_id = {{ children }}.person_id
    left join {{ persons }} on {{ people }}.person_id = {{ persons }}.person_id
    left join once_protected on {{ people }}.person_id = once_protected.person_id
    left join {{ areas }} on {{ people }}.area_code = {{ areas }}.area_code
{%- endmacro %}
