-- What the register writes of the place, and the area it names. Grain: one row per 旧市町村 and, where that names no
-- former municipality, town.
with

register as (
    select * from {{ ref('stg_citizens__resident_register') }}
),

municipalities as (
    select
        {{ municipality_stem('former_municipality') }} as stem,
        area_code
    from {{ ref('former_municipalities') }}
),

texts as (
    select distinct
        former_municipality,
        town,
        {{ municipality_stem('former_municipality') }} as municipality_stem,
        regexp_replace(replace(town, ' ', ''), '^(新潟県)?(佐渡市)?', '') as town_stem
    from register
),

-- The former municipality says the area; where it is empty or no more than 佐渡市, the town often begins with it.
matches as (
    select
        texts.former_municipality,
        texts.town,
        municipalities.area_code
    from texts
    inner join municipalities
        on
            texts.municipality_stem = municipalities.stem
            or (
                coalesce(texts.municipality_stem, '') = ''
                and starts_with(texts.town_stem, municipalities.stem)
            )
    qualify row_number() over (
        partition by texts.former_municipality, texts.town
        order by length(municipalities.stem) desc, municipalities.area_code
    ) = 1
)

select
    texts.former_municipality,
    texts.town,
    matches.area_code
from texts
left join matches
    on
        texts.former_municipality is not distinct from matches.former_municipality
        and texts.town is not distinct from matches.town
