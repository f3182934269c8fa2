-- Rejected records, without what they hold: one row per delivery and line. The holder finds the record by its line.
with

rejects as (
    select * from {{ ref('fct_reject') }}
),

deliveries as (
    select * from {{ ref('bi_delivery') }}
)

select
    rejects.delivery_id,
    rejects.line_number,
    rejects.source_id,
    deliveries.source_label,
    deliveries.holder,
    deliveries.holder_label,
    deliveries.file_name,
    deliveries.delivered_on,
    rejects.reason_code,
    case rejects.reason_code
        when 'missing_required' then '必須の項目が空'
        when 'damaged_id' then '番号が壊れている'
        when 'impossible_date' then 'ありえない日付'
        when 'invalid_month' then '年月として読めない'
        when 'not_a_number' then '数として読めない'
        when 'unknown_flag' then '有無として読めない'
        when 'implausible_value' then 'ありえない大きさの数'
        when 'wrong_field_count' then '列の数が合わない'
        when 'unbalanced_quote' then '引用符が閉じていない'
        when 'too_long' then '1件が長すぎる'
        when 'undecodable' then '文字として読めない'
        else 'その他（' || rejects.reason_code || '）'
    end as reason_label,
    rejects.column_name as heading,
    rejects.state,
    case rejects.state
        when 'open' then '未対応'
        when 'mended' then '訂正済'
        when 'superseded' then '新しい納品で差替済'
        when 'withdrawn' then '納品を取下げ'
        when 'held' then '納品が保留中'
        when 'expired' then '保存期間満了'
        else '納品を受取拒否'
    end as state_label,
    rejects.resolved_by_delivery_id,
    rejects.resolved_line_number
from rejects
inner join deliveries on rejects.delivery_id = deliveries.delivery_id
