{#- The sources whose contract declares its observations (`facts`), each with its staging model. dbt has to know
    before it reads any contract what a model is built on: a new source is one line here. -#}
{% macro declaring_sources() -%}
    {{ return([
        ('antenatal_checkups', 'stg_health__antenatal_checkups'),
        ('postnatal_care', 'stg_health__postnatal_care'),
        ('home_visit_support', 'stg_child__home_visit_support'),
        ('childcare_support_uses', 'stg_child__childcare_support_uses'),
        ('after_school_club', 'stg_child__after_school_club'),
        ('medical_aid', 'stg_child__medical_aid'),
        ('education_consultations', 'stg_education__education_consultations'),
        ('education_support_centre', 'stg_education__education_support_centre'),
    ]) }}
{%- endmacro %}

{#- Rows of one declaring source as facts of people, with the label beside each code that an observation shows.

    `person` of the contract says by which numbers, in order, a row names its person: {atena: column},
    {pregnancy: column} or {pupil: column}; the first that is known counts. Reads the CTEs numbers and code_lists. -#}
{% macro declared_facts(source_id, model) -%}
    {%- set contract = source_contract(source_id) -%}
    {%- set facts = contract.facts -%}
    {%- set keys = [] -%}
    {%- for entry in facts.person -%}
        {%- for kind, column in entry.items() -%}
            {%- do keys.append({'name': 'by_' ~ column, 'kind': kind, 'column': column}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set shown = declared_labels(contract) -%}
    select
        {{ 'coalesce(' if keys | length > 1 }}{{ keys | map(attribute='name') | join('.person_id, ') }}.person_id
        {{- ')' if keys | length > 1 }} as person_id,
        '{{ source_id }}' as source_id,
        facts.{{ facts.observed_on }} as observed_on,
        {{ 'facts.' ~ facts.ended_on if facts.get('ended_on') else 'cast(null as date)' }} as ended_on,
        {%- for column in shown %}
        {{ column.name }}_labels.label_ja as {{ column.name }}_label,
        {%- endfor %}
        {%- for column in contract.columns if column.name not in ('observed_on', 'ended_on') %}
        facts.{{ column.name }},
        {%- endfor %}
        facts.delivery_id,
        facts.line_number
    from {{ ref(model) }} as facts
    {%- for key in keys %}
    left join numbers as {{ key.name }}
        on {{ key.name }}.kind = '{{ key.kind }}' and facts.{{ key.column }} = {{ key.name }}.number
    {%- endfor %}
    {%- for column in shown %}
    left join code_lists as {{ column.name }}_labels
        on
            {{ column.name }}_labels.code_list = '{{ column.code_list }}'
            and facts.{{ column.name }} = {{ column.name }}_labels.code
    {%- endfor %}
    where
        {%- for key in keys %}
        {{ 'or ' if not loop.first }}{{ key.name }}.person_id is not null
        {%- endfor %}
{%- endmacro %}

{#- The code columns of a contract that its observations show as text. -#}
{% macro declared_labels(contract) -%}
    {%- set texts = contract.facts.observations.values() | map(attribute='text') | list -%}
    {%- set shown = [] -%}
    {%- for column in contract.columns if column.code_list and column.name in texts -%}
        {%- do shown.append(column) -%}
    {%- endfor -%}
    {{ return(shown) }}
{%- endmacro %}

{#- The observations of one declaring source, read from the CTE of its facts. -#}
{% macro declared_observations(source_id) -%}
    {%- set contract = source_contract(source_id) -%}
    {%- set labelled = declared_labels(contract) | map(attribute='name') | list -%}
    {%- for code, entry in contract.facts.observations.items() -%}
        {%- set text = entry.get('text') -%}
        {{ observation(
            code, source_id,
            when=entry.get('when'),
            value=entry.get('value'),
            text_value=text ~ '_label' if text in labelled else text,
            observed_on=entry.get('observed_on', 'observed_on'),
            ended_on=entry.get('ended_on', 'ended_on')
        ) }}
        {%- if not loop.last %}
    union all
    {% endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- A CTE of facts for each declaring source, named like the source. Before the project is parsed there is no contract to
    read: then each is its staging model, on which it depends. -#}
{% macro facts_of_declaring_sources() -%}
    {%- for source_id, model in declaring_sources() -%}
        {{ source_id }} as (
    {% if execute %}{{ declared_facts(source_id, model) }}{% else %}select * from {{ ref(model) }}{% endif %}
)
        {%- if not loop.last %},

{% endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- The observations of all declaring sources. -#}
{% macro observations_of_declaring_sources() -%}
    {%- for source_id, _ in declaring_sources() -%}
        {% if execute %}{{ declared_observations(source_id) }}{% else %}select * from {{ source_id }}{% endif %}
        {%- if not loop.last %}
    union all
    {% endif -%}
    {%- endfor -%}
{%- endmacro %}
