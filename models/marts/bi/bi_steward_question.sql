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
    {{ question_detail('questions.detail') }} as detail_label,
    questions.row_count,
    questions.deliveries,
    questions.last_delivered_on
from questions
inner join holders on questions.source_id = holders.source_id
