-- The register of data items with how complete each is in the source's present state: one row per source and column.
{%- set tables = [] %}
{%- if execute %}
    {%- set contracts = graph.sources.values() | selectattr('source_name', 'equalto', 'raw') %}
    {%- do tables.extend(contracts | sort(attribute='name')) %}
{%- endif %}

with

data_items as (
    select * from {{ source('run', 'data_items') }}
),

-- A date read as the year it means has been read.
value_issues as (
    select * from {{ source('run', 'value_issues') }}
    where issue_code <> 'interpreted_date'
),

counted as (
    select
        null::varchar as source_id,
        null::bigint as row_count,
        null::varchar[] as delivery_ids,
        null::varchar[] as column_names,
        null::bigint[] as filled_counts
    where false
    {%- for table in tables %}
        union all
        select
            '{{ table.name }}' as source_id,
            count(*) as row_count,
            list(distinct delivery_id) as delivery_ids,
            [
                {%- for column in table.columns.values() %}
                    '{{ column.name }}'{{ ',' if not loop.last }}
                {%- endfor %}
            ] as column_names,
            [
                {%- for column in table.columns.values() %}
                    {#- 00000000 and 9999-12-31 say that there is no date. #}
                    {%- set is_date = column.config.meta.type in ('date', 'month') %}
                    {%- set has_date = "not regexp_full_match(" ~ column.name ~ ", '[09年月日./-]+|9999.*')" %}
                    count(*) filter (
                        where {{ has_date if is_date else column.name ~ ' is not null' }}
                    ){{ ',' if not loop.last }}
                {%- endfor %}
            ] as filled_counts
        from ({{ current_rows(table.name) }}) as current_rows
    {%- endfor %}
),

items_counted as (
    select
        source_id,
        row_count,
        unnest(column_names) as column_name,
        unnest(filled_counts) as filled_count
    from counted
),

unreadable as (
    select
        source_id,
        column_name,
        count(*) as unreadable_count
    from value_issues
    -- Of the deliveries that make the present state.
    where delivery_id in (select unnest(counted.delivery_ids) from counted)
    group by source_id, column_name
)

select
    data_items.source_id,
    data_items.column_name,
    data_items.heading,
    data_items.holder,
    data_items.status,
    data_items.purpose,
    data_items.legal_basis,
    data_items.retention_months,
    coalesce(items_counted.row_count, 0) as row_count,
    coalesce(items_counted.filled_count, 0) as filled_count,
    coalesce(unreadable.unreadable_count, 0) as unreadable_count
from data_items
left join items_counted
    on data_items.source_id = items_counted.source_id and data_items.column_name = items_counted.column_name
left join unreadable
    on data_items.source_id = unreadable.source_id and data_items.column_name = unreadable.column_name
