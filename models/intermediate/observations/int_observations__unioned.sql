{% set holders = [
    'citizens', 'child', 'health', 'welfare', 'elderly', 'education', 'guidance_centre', 'social_council'
] %}

with unioned as (
    {% for holder in holders -%}
    select * from {{ ref('int_observations__' ~ holder) }}
    {% if not loop.last %}union all
    {% endif %}
    {%- endfor %}
)

select * from unioned
