{#- A date in any spelling the city's systems use: ISO, western with separators or without, era names and letters. -#}

{% macro parse_date(col, is_end=false) -%}
    {{ return(adapter.dispatch('parse_date', 'kodomo')(col, is_end)) }}
{%- endmacro %}

{% macro default__parse_date(col, is_end=false) -%}
    {#- One pass of one pattern takes the value apart; the two lambdas only name the parts, so that
        nothing is computed twice. The first alternative has separators, the second is digits only. An end, or a
        date to come, may be written in a year of an era that has ended since (平成33年): it is the year it means. -#}
    list_transform(
        list_transform(
            [{{ date_parts(date_text(col)) }}],
            lambda part: {
                'era': left(part.era || part.era_compact, 1),
                'first_on': {{ first_on('part', "part.day || part.day_compact") }}
            }
        ),
        lambda match: {{ no_sentinel(
            'match.era',
            last_era('match.era', 'match.first_on') if is_end
            else within_era('match.era', 'match.first_on', 'match.first_on'),
            is_end
        ) }}
    )[1]
{%- endmacro %}

{% macro date_status(col, is_end=false) -%}
    {{ return(adapter.dispatch('date_status', 'kodomo')(col, is_end)) }}
{%- endmacro %}

{% macro default__date_status(col, is_end=false) -%}
    case
        when coalesce({{ col }}, '') = '' then 'none'
        when {{ parse_date(col, is_end) }} is not null then 'ok'
        when regexp_matches(
            {{ date_text(col) }},
            '^(?:0|(?:{{ era_pattern() }}|[1-5])?0{6,8}|(?:{{ era_pattern() }})?年?月?日?|9{6,8}'
            || '|(?:{{ era_pattern() }})?0{1,4}{{ separator() }}0{1,2}{{ separator() }}0{1,2}日?'
            || '|99(?:99)?{{ separator() }}?99{{ separator() }}?99日?|1900{{ separator() }}?0?1{{ separator() }}?00?日?'
            || '|0?1[/-]0?1[/-](?:0001|1900)|12[/-]3[01][/-]1899)$'
        ) then 'none'
        when {{ is_sentinel(col, is_end) }} then 'none'
        when {{ is_unknown_date(col) }} then 'unknown'
        when {{ is_nothing(col) }} then 'none'
        else 'impossible'
    end
{%- endmacro %}

{% macro is_interpreted_date(col) -%}
    {{ return(adapter.dispatch('is_interpreted_date', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__is_interpreted_date(col) -%}
    ({{ parse_date(col) }} is null and {{ parse_date(col, true) }} is not null)
{%- endmacro %}

{% macro is_sentinel(col, is_end) -%}
    {#- A day that exists and that programs write where there is none. -#}
    list_transform(
        list_transform(
            [{{ date_parts(date_text(col)) }}],
            lambda part: {
                'era': left(part.era || part.era_compact, 1),
                'first_on': {{ first_on('part', "part.day || part.day_compact") }}
            }
        ),
        lambda match: match.first_on is not null
        and {{ no_sentinel('match.era', 'match.first_on', is_end) }} is null
    )[1]
{%- endmacro %}

{% macro no_sentinel(era, day, is_end) -%}
    {#- The smallest and the greatest dates of programs and databases, as no date: .NET, Access, Excel and SQL Server;
        Unix, where an end is meant, as people are born on 1970-01-01. Someone who writes an era means the day. -#}
    case
        when {{ era }} = '' and (
            {{ day }} in (
                date '0001-01-01', date '1601-01-01', date '1753-01-01',
                date '1899-12-30', date '1899-12-31', date '1900-01-01'
            )
            or year({{ day }}) = 2999
            or year({{ day }}) >= 9999
        ) then null
        {% if is_end -%}
        when {{ day }} = date '1970-01-01' then null
        {% endif -%}
        else {{ day }}
    end
{%- endmacro %}

{% macro is_unknown_date(col) -%}
    regexp_matches({{ date_text(col) }}, '不詳|不明')
    or regexp_matches(
        {{ date_text(col) }},
        '^(?:{{ era_pattern() }})?(?:0*[1-9][0-9]{0,3}|元)(?:年(?:[0-9]{0,2}月?)日?|年[0-9]{1,2}月(?:[0-9]{1,2}日?)?(?:頃|ごろ|吉日)'
        || '|{{ separator() }}[0-9]{1,2}{{ separator() }}0{1,2}日?)$'
        || '|^(?:(?:{{ era_pattern() }}|[1-5])[0-9]{2}|1[89][0-9]{2}|20[0-9]{2})(?:0[0-9]|1[0-2])00$'
    )
{%- endmacro %}

{% macro date_parts(text) -%}
    regexp_extract(
        {{ text }},
        '^(?:(?:({{ era_pattern() }})\.?)?([0-9]{1,4}|元){{ separator() }}([0-9]{1,2}){{ separator() }}([0-9]{1,2})日?'
        || '|({{ era_pattern() }}|[1-5])?([0-9]{4}|[0-9]{2})([0-9]{2})([0-9]{2}))$',
        ['era', 'year', 'month', 'day', 'era_compact', 'year_compact', 'month_compact', 'day_compact']
    )
{%- endmacro %}

{% macro first_on(part, day) -%}
    {#- The day that the parts name, whatever their era holds. -#}
    try_cast(
        {{ western_year(
            "left(" ~ part ~ ".era || " ~ part ~ ".era_compact, 1)",
            "replace(" ~ part ~ ".year || " ~ part ~ ".year_compact, '元', '1')"
        ) }}
        || '-' || {{ part }}.month || {{ part }}.month_compact || '-' || {{ day }} as date
    )
{%- endmacro %}

{% macro separator() -%}
    [-年月./‐‑‒–—―−─━ーｰ・･]
{%- endmacro %}

{% macro date_text(col) -%}
    {#- The value without spaces, weekday, 生 and what a sheet or a form puts around it; of a moment the day alone, and
        the day in Japan where the moment is in another time than Japan's. Most values are plain, and pay for one look
        only. -#}
    replace(
        case
            when regexp_matches({{ col }}, '[:(\[曜生時西''’"]|[0-9][Zz]$|T[0-9]|\.0+$|^[0-9]{8} ?[0-9]{6}$')
                then {{ day_of_moment(
                    "regexp_replace(regexp_replace(" ~ col ~ ", '" ~ words_beside_a_date() ~ "', '', 'g'), "
                    ~ "'^([0-9]{8})[0-9]{6}$|^([0-9]{6,8})[.]0+$', '\\1\\2')"
                ) }}
            else {{ col }}
        end, ' ', ''
    )
{%- endmacro %}

{% macro words_beside_a_date() -%}
    {#- A weekday, in brackets or not; 生, 西暦, quotes and an hour in Japanese; the same year in brackets in the other
        calendar. -#}
    [ ]?[([](?:[月火水木金土日](?:曜日?)?(?:・?祝日?)?|(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.]?)[])]
    {{- '| ?[月火水木金土日]曜日?| ?生(?:まれ|れ)?$|^西暦 ?|^=?["\'\'’‘`´]|["\'\']$' }}
    {{- '| ?(?:午前|午後)? ?[0-9]{1,2}時(?: ?[0-9]{1,2}分)?(?: ?[0-9]{1,2}秒)?$' }}
    {{- '|[(](?:' ~ era_pattern() ~ ')?(?:[0-9]{1,4}|元)年?[)]' }}
{%- endmacro %}

{% macro day_of_moment(col) -%}
    list_transform(
        [regexp_extract(
            {{ col }},
            '^(.*[0-9日])(?:[T ]+|(?:[T ]*(午前|午後|AM|PM) ?))([0-9]{1,2}):?([0-9]{2})(?::?[0-9]{2}(?:[.,][0-9]+)?)?'
            || ' ?(午前|午後|[AaPp][Mm])?(?:(?i:jst)| ?((?i:z|utc|gmt)|[-+−][0-9]{1,2}(?::?[0-9]{2})?)(?: ?(?i:utc|gmt))?)?$',
            ['day', 'half', 'hour', 'minute', 'half_behind', 'zone']
        )],
        lambda moment: case
            when moment.day = '' then {{ col }}
            when moment.zone = '' then moment.day
            when moment.half || moment.half_behind <> '' then moment.day || moment.zone
            else coalesce(
                strftime(
                    least(greatest(
                        cast(coalesce(
                            try_cast(replace(replace(moment.day, '/', '-'), '.', '-') as date),
                            try_strptime(moment.day, '%Y%m%d')
                        ) as timestamp)
                        + to_minutes(
                            60 * cast(moment.hour as integer) + cast(moment.minute as integer) + 540
                            - {{ offset_minutes('moment.zone') }}
                        ),
                        timestamp '0001-01-01 00:00:00'
                    ), timestamp '9999-12-31 00:00:00'),
                    '%Y-%m-%d'
                ),
                moment.day || moment.zone
            )
        end
    )[1]
{%- endmacro %}

{% macro offset_minutes(zone) -%}
    {#- Minutes east of Greenwich, of +01:00, -0530, Z. -#}
    case
        when regexp_matches({{ zone }}, '^[A-Za-z]') then 0
        else (case when left({{ zone }}, 1) = '+' then 1 else -1 end) * (
            60 * cast(regexp_extract({{ zone }}, '^.([0-9]{1,2})(?::?[0-9]{2})?$', 1) as integer)
            + coalesce(try_cast(regexp_extract({{ zone }}, '^.[0-9]{1,2}:?([0-9]{2})$', 1) as integer), 0)
        )
    end
{%- endmacro %}

{% macro era_pattern() -%}
    [MTSHRmtshr]|明治?|大正?|昭和?|平成?|令和?
{%- endmacro %}

{% macro western_year(era, year) -%}
    {#- The year as text: era years have at most two digits, western ones four; anything else is no year. -#}
    case
        when {{ era }} = '' then case when length({{ year }}) = 4 then {{ year }} end
        when length({{ year }}) > 2 and not ({{ era }} in ('S', 's', '昭') and {{ year }} between '100' and '199') then null
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
        proclamation. -#}
    case
        when {{ era }} = '' then {{ first_on }}
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

{% macro last_era(era, day) -%}
    {#- day, unless it lies before its era began: 平成33年 is the year that it means, and 令和元年4月 none. -#}
    case
        when {{ era }} = '' then {{ day }}
        when {{ era }} in ('M', 'm', '明', '1') then case when {{ day }} >= date '1868-01-25' then {{ day }} end
        when {{ era }} in ('T', 't', '大', '2') then case when {{ day }} >= date '1912-07-30' then {{ day }} end
        when {{ era }} in ('S', 's', '昭', '3') then case when {{ day }} >= date '1926-12-25' then {{ day }} end
        when {{ era }} in ('H', 'h', '平', '4') then case when {{ day }} >= date '1989-01-08' then {{ day }} end
        when {{ day }} >= date '2019-05-01' then {{ day }}
    end
{%- endmacro %}
