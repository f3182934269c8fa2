-- Every row of a source's present state is in the account exactly once, and none has vanished.
{%- for model in staged_models() %}
-- depends_on: {{ ref(model) }}
{%- endfor %}
with accounted as (
    select
        source_id,
        sum(row_count) as row_count,
        coalesce(sum(row_count) filter (where fate = 'vanished'), 0) as vanished_count
    from {{ ref('fct_fact_account') }}
    group by source_id
),

current_counts as (
    select
        null::varchar as source_id,
        null::bigint as row_count
    where false
    {%- for source in staged_sources() %}
        union all
        select
            '{{ source.source_id }}' as source_id,
            count(*) as row_count
        from ({{ current_rows(source.source_id) }}) as current_rows
        having count(*) > 0
    {%- endfor %}
)

select
    coalesce(current_counts.source_id, accounted.source_id) as source_id,
    current_counts.row_count as delivered_count,
    accounted.row_count as accounted_count,
    accounted.vanished_count
from current_counts
full join accounted on current_counts.source_id = accounted.source_id
where current_counts.row_count is distinct from accounted.row_count or accounted.vanished_count > 0
