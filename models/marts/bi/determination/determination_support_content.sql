-- Support that the rules suggest. Grain: one row per child and content.
with

contents as (
    select * from {{ ref('fct_support_content') }}
    where as_of_on = {{ as_of() }}
),

difficulties as (
    select * from {{ ref('difficulty_types') }}
)

select
    contents.person_id,
    contents.support_code,
    contents.content_ja,
    string_agg(distinct difficulties.label_ja, '・' order by difficulties.label_ja) as difficulty_labels
from contents
left join difficulties on contents.difficulty_type = difficulties.difficulty_type
group by all
order by contents.content_ja
