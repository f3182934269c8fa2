{#- What no row of a source says, one row per source, read from the sources' own yml: source_id, source_label,
    late_after_days (null: what people type, never late), is_roster, roster_label, the ages that belong on the roster
    in completed months (null = open), is_at_school_year (those ages are of the first of April), lasts_months (null: a
    row without an end covers every later date). -#}
{% macro source_coverage() -%}
    select
        null::varchar as source_id,
        null::varchar as source_label,
        null::integer as late_after_days,
        null::boolean as is_roster,
        null::varchar as roster_label,
        null::integer as age_from_months,
        null::integer as age_to_months,
        null::boolean as is_at_school_year,
        null::integer as lasts_months
    where false
    {%- if execute %}
    {%- set tables = graph.sources.values() | selectattr('source_name', 'equalto', 'raw') | sort(attribute='name') %}
    {%- for table in tables %}
    {%- set meta = table.config.meta %}
    {%- set roster = meta.get('roster') or {} %}
    {%- set label = table.description.split('（')[0] %}
    union all
    select
        '{{ table.name }}' as source_id,
        '{{ label }}' as source_label,
        {{ meta.get('late_after_days') or 'null' }} as late_after_days,
        {{ meta.coverage == 'roster' }} as is_roster,
        '{{ roster.get('label_ja') or label }}' as roster_label,
        {{ roster.get('age_from_months', 'null') }} as age_from_months,
        {{ roster.get('age_to_months', 'null') }} as age_to_months,
        {{ roster.get('ages_at') == 'school_year' }} as is_at_school_year,
        {{ roster.get('lasts_months', 'null') }} as lasts_months
    {%- endfor %}
    {%- endif %}
{%- endmacro %}

{#- The observations that say that a child is on a roster, one row per source and observation_code: those that the
    source's yml names, else all of the source. -#}
{% macro roster_observations() -%}
    {%- set named = [] %}
    {%- if execute %}
        {%- set tables = graph.sources.values() | selectattr('source_name', 'equalto', 'raw') | sort(attribute='name') %}
        {%- for table in tables %}
            {%- for code in (table.config.meta.get('roster') or {}).get('observations') or [] %}
                {%- do named.append((table.name, code)) %}
            {%- endfor %}
        {%- endfor %}
    {%- endif %}
    select
        codes.source_id,
        codes.observation_code
    from {{ ref('observation_codes') }} as codes
    {%- if named %}
    where
        codes.source_id not in (
            {%- for source_id in named | map('first') | unique %}'{{ source_id }}'{{ ', ' if not loop.last }}
            {%- endfor %})
        or codes.observation_code in (
            {%- for source_id, code in named %}'{{ code }}'{{ ', ' if not loop.last }}{% endfor %})
    {%- endif %}
{%- endmacro %}

{#- Why nothing can be concluded from what a source does not say on the as-of date, one row per source with such a
    fault: not_delivered or late. Reads the CTE coverage. -#}
{% macro source_faults() -%}
    select
        coverage.source_id,
        case when max(deliveries.delivered_on) is null then 'not_delivered' else 'late' end as fault
    from coverage
    -- A later delivery tells of an earlier date too; what people type in a source's place is not its delivery.
    left join {{ source('run', 'deliveries') }} as deliveries
        on
            coverage.source_id = deliveries.source_id
            and deliveries.status = 'loaded'
            and deliveries.kind <> 'entry'
    where coverage.late_after_days is not null
    group by coverage.source_id, coverage.late_after_days
    having coalesce({{ as_of() }} >= max(deliveries.delivered_on) + coverage.late_after_days, true)
{%- endmacro %}
