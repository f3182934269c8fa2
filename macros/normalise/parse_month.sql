{#- A month (年月) as the first day of it; a whole date in its place counts as its month. -#}

{% macro parse_month(col) -%}
    {{ return(adapter.dispatch('parse_month', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__parse_month(col) -%}
    coalesce(
        list_transform(
            list_transform(
                [regexp_extract(
                    {{ date_text(col) }},
                    '^(?:({{ era_pattern() }})?([0-9]{1,4}|元){{ separator() }}([0-9]{1,2})(?:月[分度]?)?'
                    || '|({{ era_pattern() }}|[1-5])?([0-9]{4}|[0-9]{2})([0-9]{2}))$',
                    ['era', 'year', 'month', 'era_compact', 'year_compact', 'month_compact']
                )],
                lambda part: {
                    'era': left(part.era || part.era_compact, 1),
                    'first_on': {{ first_on('part', "'01'") }}
                }
            ),
            lambda match: case
                when year(match.first_on) < 9999 then {{ no_sentinel(
                    'match.era', within_era('match.era', 'match.first_on', 'last_day(match.first_on)'), false
                ) }}
            end
        )[1],
        cast(date_trunc('month', {{ parse_date(col) }}) as date)
    )
{%- endmacro %}

{% macro month_status(col) -%}
    {{ return(adapter.dispatch('month_status', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__month_status(col) -%}
    case
        when coalesce({{ col }}, '') = '' then 'none'
        when {{ parse_month(col) }} is not null then 'ok'
        when regexp_matches(
            {{ date_text(col) }},
            '^(?:0|0{4,8}|0{1,4}{{ separator() }}0{1,2}(?:{{ separator() }}0{1,2})?[月日]?|9{6,8}'
            || '|(?:9{4}|2999){{ separator() }}?(?:99|12)月?|9{4}{{ separator() }}?99{{ separator() }}?99日?'
            || '|(?:0001|1900){{ separator() }}?0?1月?)$'
        ) then 'none'
        when {{ is_sentinel(col, false) }} then 'none'
        when regexp_matches({{ date_text(col) }}, '不詳|不明')
            or regexp_matches({{ date_text(col) }}, '^(?:{{ era_pattern() }})?(?:[0-9]{1,4}|元)年度?$') then 'unknown'
        when {{ is_nothing(col) }} then 'none'
        else 'impossible'
    end
{%- endmacro %}
