-- What stewards have to settle, in words: one row per source, kind, column and code or character.
with

questions as (
    select * from {{ ref('fct_steward_question') }}
),

holders as (
    {{ source_holders() }}
)

select
    questions.source_id,
    holders.source_label,
    holders.holder,
    holders.holder_label,
    questions.question,
    case questions.question
        when 'unknown_code' then '未知のコード'
        when 'measure_without_class' then '区分のない支援措置'
        when 'gaiji' then '外字'
        when 'unknown_heading' then '未知の見出し'
        when 'orphan' then '番号の不明な記録'
        when 'interpreted_date' then '解釈した日付'
        when 'contradiction' then '家族の記録の矛盾'
        when 'unknown_area' then '地区の分からない住所'
        else '読めない値'
    end as question_label,
    questions.column_name,
    questions.heading,
    case questions.detail
        when 'impossible_date' then 'ありえない日付'
        when 'unknown_date' then '日の分からない日付'
        when 'invalid_month' then '年月として読めない'
        when 'not_a_number' then '数として読めない'
        when 'unknown_flag' then '有無として読めない'
        when 'damaged_id' then '番号として読めない'
        when 'implausible_value' then 'ありえない大きさの数'
        when 'not_in_register' then '住民基本台帳にない番号'
        when 'not_on_roster' then '名簿にない番号'
        when 'interpreted_date' then '終わった元号の年を、続いた年として読んだ'
        when 'end_before_start' then '始まりより前の終わりを、終わりなしとした'
        else questions.detail
    end as detail_label,
    questions.row_count,
    questions.deliveries,
    questions.last_delivered_on
from questions
inner join holders on questions.source_id = holders.source_id
