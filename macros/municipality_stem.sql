{% macro municipality_stem(col) -%}
    {#- The name of a former municipality without what people write around it: 旧両津市, 佐渡市(旧両津市), 両津支所,
        両津地区 and 01 両津 are 両津. -#}
    regexp_replace(
        regexp_replace(
            {{ col }},
            '新潟県|佐渡郡|現?佐渡市|旧|[0-9() \[\]【】「」〔〕・·:/.,、_-]', '', 'g'
        ),
        '(市|町|村)?(地区|地域|支所|出張所|行政サービスセンター|サービスセンター|連絡所|管内|エリア|区域|区|域|分|内)*$', ''
    )
{%- endmacro %}
