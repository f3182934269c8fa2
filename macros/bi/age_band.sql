{% macro age_band(age_months) -%}
    {#- The age bands that staff filter by. ``age_months``: completed months, negative before birth. -#}
    case
        {%- for band in var('age_bands')[:-1] %}
        when {{ age_months }} < {{ band.below }} then '{{ band.label }}'
        {%- endfor %}
        else '{{ var('age_bands')[-1].label }}'
    end
{%- endmacro %}

{% macro wide_age_band(age_months) -%}
    {#- The wider bands that statistics are made by. -#}
    {%- set bands = var('age_bands') -%}
    case
        {%- for band in bands[:-1] %}
        {%- if band.wide != bands[loop.index].wide %}
        when {{ age_months }} < {{ band.below }} then '{{ band.wide }}'
        {%- endif %}
        {%- endfor %}
        else '{{ bands[-1].wide }}'
    end
{%- endmacro %}

{% macro age_band_order(age_months) -%}
    {#- The order of the bands of ``age_band``. -#}
    case
        {%- for band in var('age_bands')[:-1] %}
        when {{ age_months }} < {{ band.below }} then {{ loop.index0 }}
        {%- endfor %}
        else {{ var('age_bands') | length - 1 }}
    end
{%- endmacro %}
