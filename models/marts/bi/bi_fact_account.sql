-- What has become of the delivered rows, in words: one row per source, fate and reason.
with

account as (
    select * from {{ ref('fct_fact_account') }}
),

holders as (
    {{ source_holders() }}
)

select
    account.source_id,
    holders.source_label,
    holders.holder,
    holders.holder_label,
    account.fate,
    case account.fate
        when 'used' then '利用'
        when 'asked' then '確認待ち'
        when 'explained' then '利用なし（理由あり）'
        else '行方不明'
    end as fate_label,
    case account.reason
        when 'observation' then '子どもの記録'
        when 'person' then '住民の記録'
        when 'family' then '家族の記録'
        when 'protection' then '支援措置の記録'
        when 'handover' then '引継ぎの記録'
        when 'status_check' then '状況確認の記録'
        when 'benefit_check' then '給付の案内の記録'
        when 'orphan' then '番号の不明な記録'
        when 'unknown_code' then '未知のコード'
        when 'value_in_question' then '読めない・読み替えた値'
        when 'deleted' then '保有部署による取消し'
        when 'superseded' then '同じ番号の別の記録が有効'
        when 'not_approved' then '台帳で承認されていない項目'
        when 'date_unknown' then '日付なし・日付不明'
        when 'no_value' then '「なし」または空欄'
        when 'no_event' then '該当する事実なし'
        else '理由不明'
    end as reason_label,
    account.row_count
from account
inner join holders on account.source_id = holders.source_id
