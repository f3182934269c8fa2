-- Every code list with each spelling that means a code. What a steward has decided of it comes first, then the code, its
-- label and its other spellings, and last the words for nothing, which mean the list's code for none, or '' where it has
-- none. Grain: one row per list and spelling.
with

lists as (
    select * from {{ ref('code_lists') }}
),

other_spellings as (
    select * from {{ ref('code_spellings') }}
),

-- A program that has no kind writes 0, which is a number elsewhere and therefore no word for nothing.
words as (
    select word from {{ ref('words_for_nothing') }}
    union all
    select '0' as word
),

decisions as (
    select * from {{ source('entry', 'code_decisions') }}
),

all_spellings as (
    select
        code_list,
        spelling as written,
        code,
        1 as priority
    from decisions
    union all
    select
        code_list,
        code as written,
        code,
        2 as priority
    from lists
    union all
    select
        code_list,
        label_ja as written,
        code,
        3 as priority
    from lists
    union all
    select
        code_list,
        spelling as written,
        code,
        4 as priority
    from other_spellings
    union all
    select
        lists.code_list,
        words.word as written,
        coalesce(max(lists.code) filter (where lists.is_none), '') as code,
        5 as priority
    from lists
    cross join words
    group by lists.code_list, words.word
),

comparable as (
    select
        code_list,
        {{ comparable_code('written') }} as spelling,
        code,
        priority
    from all_spellings
    where written is not null
),

meant as (
    select
        code_list,
        spelling,
        arg_min(code, priority) as code
    from comparable
    group by code_list, spelling
)

select
    meant.code_list,
    meant.spelling,
    meant.code,
    lists.label_ja,
    coalesce(lists.is_none, meant.code = '') as is_none
from meant
left join lists on meant.code_list = lists.code_list and meant.code = lists.code
