{#- The staging models, one per source: what counts over all sources reads them from here. dbt has to know before it reads
    any contract what a model is built on; the sources that declare their observations have their own list. -#}
{% macro staged_models() -%}
    {{ return([
        'stg_child__child_allowance',
        'stg_child__child_consultations',
        'stg_child__child_rearing_allowance',
        'stg_child__council_cases',
        'stg_child__dv_consultations',
        'stg_child__heard_observations',
        'stg_child__nursery_attendance',
        'stg_child__nursery_enrolment',
        'stg_child__recorded_benefit_checks',
        'stg_child__recorded_handovers',
        'stg_child__recorded_status_checks',
        'stg_child__recorded_visits',
        'stg_citizens__household_history',
        'stg_citizens__marriages',
        'stg_citizens__national_health_insurance',
        'stg_citizens__parentage',
        'stg_citizens__resident_register',
        'stg_citizens__support_measures',
        'stg_citizens__told_support_measures',
        'stg_education__school_aid',
        'stg_education__school_attendance',
        'stg_education__school_checkups',
        'stg_education__school_consultations',
        'stg_education__school_enrolment',
        'stg_elderly__care_certifications',
        'stg_guidance_centre__guidance_centre_cases',
        'stg_health__infant_checkups',
        'stg_health__newborn_visits',
        'stg_health__pregnancy_notifications',
        'stg_health__vaccinations',
        'stg_social_council__social_council_services',
        'stg_welfare__disability_certificates',
        'stg_welfare__livelihood_consultations',
        'stg_welfare__public_assistance',
    ] + declaring_sources() | map('last') | list) }}
{%- endmacro %}

{#- What the account of rows needs of each source, from its contract. Nothing before the project is parsed. -#}
{% macro staged_sources() -%}
    {%- set sources = [] -%}
    {%- if execute -%}
    {%- for table in graph.sources.values() | selectattr('source_name', 'equalto', 'raw') | sort(attribute='name') -%}
        {%- set staged_source = {
            'source_id': table.name,
            'model': 'stg_' ~ table.config.meta.holder ~ '__' ~ table.name,
            'numbers': [], 'pupil_numbers': [], 'required_dates': [], 'dates': [], 'ends': [],
            'values_read': [], 'codes': [], 'notifications': [],
            'is_conditional': table.name in ('marriages', 'parentage'),
        } -%}
        {%- set facts = table.config.meta.get('facts') -%}
        {%- if facts -%}
            {%- for entry in facts.person if 'pregnancy' in entry -%}
                {%- do staged_source.notifications.append(entry.pregnancy) -%}
            {%- endfor -%}
            {%- do staged_source.update({
                'is_conditional': facts.observations.values() | selectattr('when') | list | length
                == facts.observations | length
            }) -%}
        {%- endif -%}
        {%- for column in table.columns.values() -%}
            {%- set meta = column.config.meta -%}
            {%- if meta.type == 'id' and column.name.endswith('atena_no') -%}
                {%- do staged_source.numbers.append(column.name) -%}
            {%- elif meta.type == 'id' and meta.get('external') -%}
                {%- do staged_source.pupil_numbers.append(column.name) -%}
            {%- elif meta.type in ('date', 'month') -%}
                {%- do staged_source.dates.append(column.name) -%}
                {%- if meta.required -%}{%- do staged_source.required_dates.append(column.name) -%}{%- endif -%}
                {%- if meta.get('ends') -%}
                    {%- set flag = 'is_' ~ column.name ~ '_before_' ~ meta.ends -%}
                    {%- do staged_source.ends.append((column.name, flag)) -%}
                {%- endif -%}
            {%- elif meta.type in ('int', 'decimal', 'flag', 'code', 'text') -%}
                {%- do staged_source.values_read.append({
                    'name': column.name, 'type': meta.type, 'code_list': meta.get('code_list')
                }) -%}
                {%- if meta.type == 'code' -%}{%- do staged_source.codes.append(column.name) -%}{%- endif -%}
            {%- endif -%}
        {%- endfor -%}
        {%- do sources.append(staged_source) -%}
    {%- endfor -%}
    {%- endif -%}
    {{ return(sources) }}
{%- endmacro %}

{#- BOOLEAN: whether a value says something, so that an observation could be read of it. -#}
{% macro says_something(value, column) -%}
    {%- if column.type in ('int', 'decimal') -%}{{ value }} <> 0
    {%- elif column.type == 'flag' -%}{{ value }}
    {%- elif column.code_list -%}{{ names_kind(value, column.code_list) }}
    {%- else -%}{{ value }} is not null
    {%- endif -%}
{%- endmacro %}

{#- BOOLEAN: whether some (or) or all (and) of a row's columns hold a value; true for no columns. -#}
{% macro staged_filled(columns, operator) -%}
    {%- if columns -%}
    (
        {%- for column in columns %}
        staged.{{ column }} is not null{{ ' ' ~ operator if not loop.last }}
        {%- endfor %}
    )
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}
