{% macro age_band(age_months) -%}
    {#- The age bands that staff filter by. ``age_months``: completed months, negative before birth. -#}
    case
        when {{ age_months }} < 0 then '出生前'
        when {{ age_months }} < 12 then '0歳'
        when {{ age_months }} < 36 then '1〜2歳'
        when {{ age_months }} < 72 then '3〜5歳'
        when {{ age_months }} < 144 then '6〜11歳'
        when {{ age_months }} < 180 then '12〜14歳'
        else '15〜17歳'
    end
{%- endmacro %}

{% macro age_band_order(age_months) -%}
    {#- The order of the bands of ``age_band``. -#}
    case
        when {{ age_months }} < 0 then 0
        when {{ age_months }} < 12 then 1
        when {{ age_months }} < 36 then 2
        when {{ age_months }} < 72 then 3
        when {{ age_months }} < 144 then 4
        when {{ age_months }} < 180 then 5
        else 6
    end
{%- endmacro %}
