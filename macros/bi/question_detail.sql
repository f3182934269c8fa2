{#- What a question to a steward is about, as people read it: `detail` of fct_steward_question. -#}
{% macro question_detail(detail) -%}
    case {{ detail }}
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
        else {{ detail }}
    end
{%- endmacro %}
