-- depends_on: {{ ref('code_lists') }}
{{ staging_model('home_visit_support') }}
