{# The groups whose children a version is compared by: structs of kind and label, for a list. Reads areas and protected_people. #}
{% macro compared_groups(scored) -%}
{ 'kind': 'sex', 'label': {{ scored }}.sex },
{ 'kind': 'age_band', 'label': {{ scored }}.age_band },
{
    'kind': 'area',
    -- A number by area must not show where a protected person lives.
    'label': if(protected_people.person_id is null, coalesce(areas.area_name_ja, '不明'), '不明')
},
{ 'kind': 'nationality', 'label': if({{ scored }}.is_foreign, '外国人住民', '日本人住民') },
{ 'kind': 'single_parent', 'label': if({{ scored }}.is_single_parent, 'ひとり親', 'ひとり親でない') },
{ 'kind': 'public_assistance', 'label': if({{ scored }}.has_public_assistance, '受給', '受給なし') },
{ 'kind': 'disability', 'label': if({{ scored }}.has_disability, '手帳あり', '手帳なし') }
{%- endmacro %}
