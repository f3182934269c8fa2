-- Results of the expectations: one row per run and expectation. Counts only. A view, as the results are written after
-- the build.
{{ config(materialized='view') }}

with

results as (
    select * from {{ ref('fct_quality_result') }}
),

holders as (
    {{ source_holders() }}
)

select
    results.run_id,
    -- Kept in UTC; readers are in Japan, which has no daylight saving time.
    results.checked_at + interval 9 hour as checked_at,
    case results.layer
        when 'raw' then '納品データ'
        when 'staging' then '整形'
        when 'intermediate' then '中間'
        when 'marts' then '公開用'
        else results.layer
    end as layer_label,
    results.table_name,
    results.expectation,
    -- Results of before have no words.
    coalesce(results.label_ja, results.expectation) as expectation_label,
    case results.severity
        when 'blocks_publication' then '公開を止める'
        when 'steward_must_look' then '担当者が確認'
        else '参考'
    end as severity_label,
    results.status,
    results.run_id = max(results.run_id) over () as is_latest_run,
    {{ label_of('check_status', 'results.status') }} as status_label,
    results.unexpected_count,
    results.element_count,
    -- A table that is no holder's own is the child department's to look after.
    coalesce(holders.holder, 'child') as holder,
    coalesce(holders.holder_label, '{{ var('departments').child }}') as holder_label
from results
left join holders
    on results.table_name in (
        'raw.' || holders.source_id, 'staging.stg_' || holders.holder || '__' || holders.source_id
    )
