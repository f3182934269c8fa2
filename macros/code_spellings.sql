{% macro code_spellings() -%}
    {#- Every code list with each spelling that means a code: the code without leading zeros, its label, which
        some systems write in its place, and what a steward has decided that an unknown one means. -#}
    select
        code_list,
        code,
        {{ comparable_code('code') }} as spelling
    from {{ ref('code_lists') }}
    union
    select
        code_list,
        code,
        translate(label_ja, '（）', '()') as spelling
    from {{ ref('code_lists') }}
    where label_ja is not null
    union
    select
        code_list,
        code,
        {{ comparable_code('spelling') }} as spelling
    from {{ source('entry', 'code_decisions') }}
{%- endmacro %}
