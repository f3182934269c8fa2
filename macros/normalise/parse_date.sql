{#- A date in any spelling the city's systems use: ISO, western with separators or without, era names and letters. -#}

{% macro parse_date(col) -%}
    {{ return(adapter.dispatch('parse_date', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__parse_date(col) -%}
    {#- One pass of one pattern takes the value apart; the two lambdas only name what was found, so that
        nothing is computed twice. The first alternative has separators, the second is digits only. -#}
    list_transform(
        list_transform(
            [regexp_extract(
                {{ date_text(col) }},
                '^(?:({{ era_pattern() }})?([0-9]{1,4}|元)[年./-]([0-9]{1,2})[月./-]([0-9]{1,2})日?'
                || '|({{ era_pattern() }}|[1-5])?([0-9]{4}|[0-9]{2})([0-9]{2})([0-9]{2}))$',
                ['era', 'year', 'month', 'day', 'era_compact', 'year_compact', 'month_compact', 'day_compact']
            )],
            lambda part: {
                'era': left(part.era || part.era_compact, 1),
                'first_on': try_cast(
                    {{ western_year(
                        "left(part.era || part.era_compact, 1)", "replace(part.year || part.year_compact, '元', '1')"
                    ) }}
                    || '-' || part.month || part.month_compact || '-' || part.day || part.day_compact as date
                )
            }
        ),
        lambda found: {{ within_era('found.era', 'found.first_on', 'found.first_on') }}
    )[1]
{%- endmacro %}

{% macro date_status(col) -%}
    {{ return(adapter.dispatch('date_status', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__date_status(col) -%}
    case
        when coalesce({{ col }}, '') = '' then 'none'
        when {{ parse_date(col) }} is not null then 'ok'
        when regexp_matches(
            {{ date_text(col) }},
            '^(?:0|0{6,8}|0{1,4}[年./-]0{1,2}[月./-]0{1,2}日?|9{6,8}'
            || '|9{4}[年./-]?(?:99[月./-]?99|12[月./-]?31)日?)$'
        ) then 'none'
        when {{ is_unknown_date(col) }} then 'unknown'
        else 'impossible'
    end
{%- endmacro %}

{% macro is_unknown_date(col) -%}
    regexp_matches({{ date_text(col) }}, '不詳|不明')
    or regexp_matches({{ date_text(col) }}, '^(?:{{ era_pattern() }})?(?:[0-9]{1,4}|元)年(?:[0-9]{1,2}月)?$')
{%- endmacro %}

{% macro date_text(col) -%}
    {#- The value without spaces, and without the time of day that exports of timestamps carry. -#}
    replace(
        case
            when contains({{ col }}, ':')
                then regexp_replace({{ col }}, '[T ]+[0-9]{1,2}:[0-9:.]*(?:Z|[+-][0-9:]+)?$', '')
            else {{ col }}
        end, ' ', ''
    )
{%- endmacro %}

{% macro era_pattern() -%}
    [MTSHRmtshr]|明治?|大正?|昭和?|平成?|令和?
{%- endmacro %}

{% macro western_year(era, year) -%}
    {#- The year as text: era years have at most two digits, western ones four; anything else is no year. -#}
    case
        when {{ era }} = '' then case when length({{ year }}) = 4 then {{ year }} end
        when length({{ year }}) > 2 then null
        else cast(
            cast({{ year }} as integer) + case
                when {{ era }} in ('M', 'm', '明', '1') then 1867
                when {{ era }} in ('T', 't', '大', '2') then 1911
                when {{ era }} in ('S', 's', '昭', '3') then 1925
                when {{ era }} in ('H', 'h', '平', '4') then 1988
                else 2018
            end as varchar
        )
    end
{%- endmacro %}

{% macro within_era(era, first_on, last_on) -%}
    {#- first_on, if the period first_on–last_on touches its era: a changeover day belongs to both eras where
        both began and ended on it (1912-07-30, 1926-12-25). 明治 counts from 1868-01-25, its first day by the
        proclamation. 9999-12-31 is a way to write no date. -#}
    case
        when {{ era }} = '' then nullif({{ first_on }}, date '9999-12-31')
        when {{ era }} in ('M', 'm', '明', '1')
            then case when {{ last_on }} >= date '1868-01-25' and {{ first_on }} <= date '1912-07-30' then {{ first_on }} end
        when {{ era }} in ('T', 't', '大', '2')
            then case when {{ last_on }} >= date '1912-07-30' and {{ first_on }} <= date '1926-12-25' then {{ first_on }} end
        when {{ era }} in ('S', 's', '昭', '3')
            then case when {{ last_on }} >= date '1926-12-25' and {{ first_on }} <= date '1989-01-07' then {{ first_on }} end
        when {{ era }} in ('H', 'h', '平', '4')
            then case when {{ last_on }} >= date '1989-01-08' and {{ first_on }} <= date '2019-04-30' then {{ first_on }} end
        when {{ last_on }} >= date '2019-05-01' then {{ first_on }}
    end
{%- endmacro %}
